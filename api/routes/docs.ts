import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { newRouter } from './router.ts';

const assets = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

const files: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

/** Everything comes from here, nothing runs inline, and the page talks to this API only. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>GuardMDM ABM API</title>
    <link rel="icon" type="image/png" href="/api/docs/favicon-32x32.png">
    <link rel="stylesheet" href="/api/docs/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/api/docs/swagger-ui-bundle.js"></script>
    <script src="/api/docs/start.js"></script>
  </body>
</html>
`;

const start = `SwaggerUIBundle({
  url: '/api/v1/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
`;

/** The contract as a page to read and try. */
export function docsRoutes() {
  const kept = new Map<string, Promise<Buffer>>();
  const read = (name: string) => {
    const file = kept.get(name) ?? readFile(join(assets, name));
    kept.set(name, file);
    return file;
  };

  const app = newRouter();
  app.get('/', (c) => c.redirect('/api/docs', 302));
  app.get('/api/docs', (c) =>
    c.html(page, 200, { 'content-security-policy': contentSecurityPolicy }),
  );
  app.get('/api/docs/', (c) => c.redirect('/api/docs', 301));
  app.get('/api/docs/start.js', (c) =>
    c.body(start, 200, { 'content-type': 'text/javascript; charset=utf-8' }),
  );
  for (const [name, type] of Object.entries(files))
    app.get(`/api/docs/${name}`, async (c) =>
      c.body(new Uint8Array(await read(name)), 200, {
        'content-type': type,
        'cache-control': 'public, max-age=86400',
      }),
    );
  return app;
}
