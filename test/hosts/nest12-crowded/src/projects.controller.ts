import { Body, Controller, Get, Post, Query, Req, Version } from '@nestjs/common';
import type { RawBodyRequest } from '@nestjs/common';
import { IsInt, IsString, Max } from 'class-validator';
import { Type } from 'class-transformer';
import type { Request } from 'express';
import { ClsService } from 'nestjs-cls';
import { AlertEvents } from './alert-events.js';

class PageQuery {
  @Type(() => Number)
  @IsInt()
  @Max(10)
  page: number = 1;
}

class NewProject {
  @IsString()
  name!: string;
}

@Controller('projects')
export class ProjectsController {
  constructor(
    private readonly cls: ClsService,
    private readonly alerts: AlertEvents,
  ) {}

  @Get()
  list(@Query() { page }: PageQuery, @Req() { user }: Request) {
    return { page, user, request: this.cls.getId() };
  }

  @Get()
  @Version('2')
  listOfNextVersion() {
    return [];
  }

  @Post()
  create(@Body() { name }: NewProject, @Req() { rawBody }: RawBodyRequest<Request>) {
    return { name, raw: rawBody?.toString() };
  }

  @Get('alerts')
  openedAlerts() {
    return this.alerts.opened;
  }
}
