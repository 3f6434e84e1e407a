import { Controller, Get, Headers, HttpCode, HttpStatus, NotFoundException, Post, Res } from '@nestjs/common';
import { AlertsEndpoint } from '../http/alerts-endpoint.decorator.js';
import {
  ApiNotFoundResponse,
  ApiOperation,
  ApiQuery,
  ApiResponse,
  ApiTags,
} from '../http/documented.decorators.js';
import { ErrorResponse } from '../http/error-response.dto.js';
import { optional, text } from '../http/fields.js';
import type { Fields } from '../http/fields.js';
import { KnownQuery } from '../http/known-fields.decorators.js';
import { acceptedLanguage } from './languages.js';
import type { Language } from './languages.js';
import { PreferencesService } from './preferences.service.js';
import { donePage, PAGE_HEADERS, questionPage, unknownPage } from './unsubscribe-page.js';

interface UnsubscribeQuery {
  key?: string;
}
const QUERY: Fields<UnsubscribeQuery> = { key: optional(text({})) };
const KEY_PARAMETER = { name: 'key', required: true, schema: { type: 'string' } } as const;

/** What Express's response and Fastify's reply have in common. */
interface Reply {
  status(code: number): unknown;
  header(name: string, value: string): unknown;
}

interface ReaderHeaders {
  accept?: string;
  'accept-language'?: string;
}

/** Where mail is turned off by whoever has got it, who need not sign in for it (RFC 8058). */
@ApiTags('alerts')
@Controller('alerts/unsubscribe')
@AlertsEndpoint()
export class UnsubscribeController {
  constructor(private readonly preferences: PreferencesService) {}

  @Get()
  @ApiOperation({
    summary: 'A page that asks whether e-mail is to be turned off',
    description: 'Changes nothing: programs follow the links of mails, too.',
  })
  @ApiQuery(KEY_PARAMETER)
  @ApiResponse({ status: 200, description: 'A page in HTML' })
  @ApiNotFoundResponse({ type: ErrorResponse, description: 'The key is nobody’s' })
  async ask(
    @KnownQuery(QUERY, 'ignored') { key = '' }: Readonly<UnsubscribeQuery>,
    @Headers() headers: ReaderHeaders,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<string> {
    return this.answer(await this.preferences.isUnsubscribeKey(key), questionPage, headers, reply);
  }

  @Post()
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    summary: 'Turn e-mail off, by one click in a mail program',
    description:
      'As RFC 8058 says: by the address of a mail’s `List-Unsubscribe`. What the body says is not looked at.',
  })
  @ApiQuery(KEY_PARAMETER)
  @ApiResponse({ status: 200, description: 'It is off; a page in HTML' })
  @ApiNotFoundResponse({ type: ErrorResponse, description: 'The key is nobody’s' })
  async turnOff(
    @KnownQuery(QUERY, 'ignored') { key = '' }: Readonly<UnsubscribeQuery>,
    @Headers() headers: ReaderHeaders,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<string> {
    return this.answer(await this.preferences.unsubscribe(key), donePage, headers, reply);
  }

  /** A browser is answered with a page, whatever there is to say. */
  private answer(
    isKnown: boolean,
    page: (language: Language) => string,
    { accept = '', 'accept-language': languages }: ReaderHeaders,
    reply: Reply,
  ): string {
    const isPage = isKnown || accept.includes('text/html');
    if (!isPage) throw new NotFoundException('There is no such key: nothing was turned off');
    const language = acceptedLanguage(languages);
    for (const [name, value] of Object.entries(PAGE_HEADERS)) reply.header(name, value);
    reply.header('Content-Language', language.name);
    if (!isKnown) reply.status(HttpStatus.NOT_FOUND);
    return (isKnown ? page : unknownPage)(language);
  }
}
