import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/**
 * Serves the API's description under the global prefix: `/docs` for people, `/openapi.json` for programs.
 * @param globalPrefix with a leading slash, or empty
 */
export function serveApiDocs(app: INestApplication, globalPrefix: string): void {
  const document = new DocumentBuilder()
    .setTitle('Session alerts')
    .setDescription("Alerts about people's compute sessions, from Prometheus Alertmanager to their users.")
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer(globalPrefix || '/')
    .addBearerAuth()
    .build();
  SwaggerModule.setup(
    'docs',
    app,
    () => SwaggerModule.createDocument(app, document, { ignoreGlobalPrefix: true }),
    {
      useGlobalPrefix: true,
      jsonDocumentUrl: 'openapi.json',
    },
  );
}
