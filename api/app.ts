import { OpenAPIHono } from '@hono/zod-openapi';
import { methodNotAllowed } from 'hono/method-not-allowed';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { answerFailure, answerUnknownPath, problem } from './errors.ts';
import { createHttpMetrics } from './metrics/http.ts';
import { accessLog } from './middleware/access-log.ts';
import { authenticate } from './middleware/authenticate.ts';
import { requestId } from './middleware/request-id.ts';
import { securityHeaders } from './middleware/security-headers.ts';
import { openApiDocument } from './openapi.ts';
import { apiKeyRoutes } from './routes/api-keys.ts';
import { deviceCsvRoutes } from './routes/devices-csv.ts';
import { deviceRoutes } from './routes/devices.ts';
import { docsRoutes } from './routes/docs.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { integrationRoutes } from './routes/integrations.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { operationRoutes } from './routes/operations.ts';
import { publicKeyRoutes } from './routes/public-key.ts';
import { serverTokenRoutes } from './routes/server-token.ts';
import { syncRunRoutes } from './routes/sync-runs.ts';
import { syncRoutes } from './routes/sync.ts';

/** The whole of HTTP. It holds no state but what a second process may lack. */
export function createApp(deps: ApiDeps) {
  const { registry, observe } = createHttpMetrics();
  const app = new OpenAPIHono<ApiEnv>();
  app.onError(answerFailure);
  app.notFound(answerUnknownPath);
  app.use(requestId(deps.logger), accessLog(observe), securityHeaders);
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        const allow = [...methods, 'OPTIONS'].join(', ');
        if (c.req.method === 'OPTIONS')
          return new Response(null, { status: 204, headers: { allow } });
        return problem(
          c,
          { code: 'method_not_allowed', detail: `This path takes ${allow}.` },
          { headers: { allow } },
        );
      },
    }),
  );

  app.route('/', healthRoutes(deps));
  app.route('/', metricsRoutes(deps, registry));
  app.route('/', docsRoutes());
  let document: ReturnType<typeof openApiDocument> | undefined;
  app.get('/api/v1/openapi.json', (c) => c.json((document ??= openApiDocument(app))));

  app.use('/api/v1/*', authenticate(deps));
  app.route('/api/v1', integrationRoutes(deps));
  app.route('/api/v1', publicKeyRoutes(deps));
  app.route('/api/v1', serverTokenRoutes(deps));
  app.route('/api/v1', syncRoutes(deps));
  app.route('/api/v1', syncRunRoutes(deps));
  app.route('/api/v1', operationRoutes(deps));
  app.route('/api/v1', deviceCsvRoutes(deps));
  app.route('/api/v1', deviceRoutes(deps));
  app.route('/api/v1', apiKeyRoutes(deps));
  app.route('/api/v1', eventRoutes(deps));
  return app;
}
