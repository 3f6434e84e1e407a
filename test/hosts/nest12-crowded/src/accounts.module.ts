import { Body, Controller, HttpCode, Injectable, Module, Post } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { JwtModule, JwtService } from '@nestjs/jwt';
import { AuthGuard, AuthModuleOptions, PassportModule, PassportStrategy } from '@nestjs/passport';
import { IsString } from 'class-validator';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { IS_PUBLIC, Public } from './public.decorator.js';

const secret = 'of this application alone, and of nobody else';

class Credentials {
  @IsString()
  name!: string;
}

@Controller('login')
class LoginController {
  constructor(private readonly tokens: JwtService) {}

  @Post()
  @HttpCode(200)
  @Public()
  login(@Body() { name }: Credentials) {
    return { token: this.tokens.sign({ sub: name }) };
  }
}

@Injectable()
class JwtStrategy extends PassportStrategy(Strategy) {
  constructor() {
    super({ jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: secret });
  }

  validate({ sub }: { sub: string }) {
    return { name: sub };
  }
}

/** By the default strategy, for all that is not public. */
@Injectable()
class AccountsGuard extends AuthGuard() {
  constructor(
    options: AuthModuleOptions,
    private readonly reflector: Reflector,
  ) {
    super(options);
  }

  override canActivate(context: ExecutionContext) {
    const isPublic = this.reflector.getAllAndOverride<boolean | undefined>(IS_PUBLIC, [
      context.getHandler(),
      context.getClass(),
    ]);
    return isPublic === true || super.canActivate(context);
  }
}

@Module({
  imports: [
    PassportModule.register({ defaultStrategy: 'jwt' }),
    JwtModule.register({ secret, signOptions: { expiresIn: '1h' } }),
  ],
  controllers: [LoginController],
  providers: [JwtStrategy, { provide: APP_GUARD, useClass: AccountsGuard }],
})
export class AccountsModule {}
