import { Catch, HttpException, Injectable } from '@nestjs/common';
import type {
  ArgumentsHost,
  CallHandler,
  ExceptionFilter,
  ExecutionContext,
  NestInterceptor,
} from '@nestjs/common';
import type { Response } from 'express';
import { isAlertsEndpoint } from 'nestjs-session-alerts';
import { map } from 'rxjs';
import type { Observable } from 'rxjs';

@Injectable()
export class WrapAnswers implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (isAlertsEndpoint(context)) return next.handle();
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

@Catch()
export class AnswerErrors implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const status = error instanceof HttpException ? error.getStatus() : 500;
    host.switchToHttp().getResponse<Response>().status(status).json({ oops: status });
  }
}
