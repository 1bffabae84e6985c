import { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnv } from '../deps.ts';
import { refuseInvalid } from '../validation.ts';

/** A router that refuses what its schemas refuse in our words. */
export const newRouter = () => new OpenAPIHono<ApiEnv>({ defaultHook: refuseInvalid });
