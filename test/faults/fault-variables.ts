import { join } from 'node:path'
import { AUTH_KEY } from '../support/service.ts'

/**
 * Settings of services that the tests disturb: free ports, no rate limits, and sessions that rotate as often as
 * possible.
 */
export function faultVariables(
  folder: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    DUKTIG_PORT: '0',
    DUKTIG_METRICS_PORT: '0',
    DUKTIG_DATA_DIR: join(folder, 'data'),
    DUKTIG_AUTH_KEY: AUTH_KEY,
    DUKTIG_ISSUER: 'http://duktig.test',
    DUKTIG_RATE_LIMITS: 'off',
    DUKTIG_LOG_LEVEL: 'error',
    DUKTIG_REFRESH_ROTATION: 'on',
    DUKTIG_REFRESH_PARALLEL_WINDOW_SECONDS: '1',
    ...more,
  }
}
