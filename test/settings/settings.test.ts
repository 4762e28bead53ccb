/** The settings: their defaults, and that every mistake in them is reported before anything starts. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { readSettings, readSettingsWithFile } from '../../src/settings/read-settings.ts'
import { type Definition, SETTINGS } from '../../src/settings/settings.ts'
import { mistakesOf } from './mistakes.ts'

const definitions: readonly Definition<unknown>[] = Object.values(SETTINGS)

describe('without any variable', () => {
  const settings = readSettings({})

  test('the service listens on this machine alone', () => {
    assert.deepEqual([settings.host, settings.port], ['127.0.0.1', 8088])
    assert.deepEqual([settings.metricsHost, settings.metricsPort], ['127.0.0.1', 8089])
  })
  test('it runs in production, with its limits on and nobody trusted', () => {
    assert.deepEqual([settings.mode, settings.maintenance, settings.rateLimits], ['production', false, true])
    assert.deepEqual([settings.corsOrigins, settings.trustedProxies], [null, null])
    assert.equal(settings.registrationStatus, '0')
  })
  test('tokens are those that existing clients know', () => {
    const { accessTokenAlg, accessTokenTtlSeconds, refreshTokenTtlSeconds, refreshRotation } = settings
    assert.deepEqual(
      [accessTokenAlg, accessTokenTtlSeconds, refreshTokenTtlSeconds],
      ['HS256', 900, 2_592_000],
    )
    assert.equal(refreshRotation, false)
    const { authKeyHeader, accessTokenHeader, refreshTokenHeader } = settings
    assert.deepEqual(
      [authKeyHeader, accessTokenHeader, refreshTokenHeader],
      ['X-Auth-Key', 'Access-Token', 'Refresh-Token'],
    )
  })
  test('dates are in UTC, the database is a file, secrets are made', () => {
    const { timeZone, dataDir, databaseUrl, authKey, secret, issuer } = settings
    assert.deepEqual([timeZone, dataDir], ['UTC', './data'])
    assert.deepEqual([databaseUrl, authKey, secret, issuer], [null, null, null, null])
  })
  test('every default is written as its kind reads it', () => {
    for (const { variable, kind, default: text } of definitions) {
      if (text !== null) assert.ok('value' in kind.parse(text), variable)
    }
  })
})

test('an empty variable counts as unset', () => {
  const empty = Object.fromEntries(definitions.map(({ variable }) => [variable, '']))
  assert.deepEqual(readSettings(empty), readSettings({}))
})

describe('good values', () => {
  const rows: [variable: string, text: string, name: keyof typeof SETTINGS, value: unknown][] = [
    ['DUKTIG_HOST', '::', 'host', '::'],
    ['DUKTIG_HOST', 'auth.example.com', 'host', 'auth.example.com'],
    ['DUKTIG_PORT', '0', 'port', 0],
    ['DUKTIG_PORT', '65535', 'port', 65535],
    ['DUKTIG_DATABASE_URL', 'postgres://u:p@h:5432/d', 'databaseUrl', 'postgres://u:p@h:5432/d'],
    [
      'DUKTIG_DATABASE_URL',
      'postgresql://h/d?sslmode=require',
      'databaseUrl',
      'postgresql://h/d?sslmode=require',
    ],
    ['DUKTIG_ISSUER', 'https://auth.example.com/duktig', 'issuer', 'https://auth.example.com/duktig'],
    ['DUKTIG_MAINTENANCE', 'on', 'maintenance', true],
    ['DUKTIG_TIME_ZONE', 'Asia/Yerevan', 'timeZone', 'Asia/Yerevan'],
    ['DUKTIG_ACCESS_TOKEN_ALG', 'EdDSA', 'accessTokenAlg', 'EdDSA'],
    [
      'DUKTIG_CORS_ORIGINS',
      'https://a.example,http://localhost:3000',
      'corsOrigins',
      ['https://a.example', 'http://localhost:3000'],
    ],
    [
      'DUKTIG_CORS_ORIGINS',
      ' https://a.example , https://b.example ',
      'corsOrigins',
      ['https://a.example', 'https://b.example'],
    ],
    [
      'DUKTIG_TRUSTED_PROXIES',
      '10.0.0.0/8, ::1, 2001:db8::/32',
      'trustedProxies',
      ['10.0.0.0/8', '::1', '2001:db8::/32'],
    ],
    ['DUKTIG_ACCESS_TOKEN_HEADER', 'X-My-Token-2', 'accessTokenHeader', 'X-My-Token-2'],
  ]
  for (const [variable, text, name, value] of rows) {
    test(`${variable}=${text}`, () => assert.deepEqual(readSettings({ [variable]: text })[name], value))
  }
})

describe('a mistake is named with its variable and what it must be', () => {
  const rows: [variable: string, text: string, mistake: RegExp][] = [
    ['DUKTIG_HOST', 'not a host', /must be an address or a host name, not "not a host"$/],
    ['DUKTIG_PORT', '65536', /must be a whole number, 0 to 65535, not "65536"$/],
    ['DUKTIG_PORT', '-1', /whole number/],
    ['DUKTIG_PORT', '80.0', /whole number/],
    ['DUKTIG_PORT', '0x50', /whole number/],
    ['DUKTIG_PORT', ' 80', /whole number/],
    ['DUKTIG_PORT', '1e3', /whole number/],
    ['DUKTIG_DATABASE_URL', 'mysql://h/d', /must be postgres:\/\//],
    ['DUKTIG_DATABASE_URL', 'h:5432', /must be postgres:\/\//],
    ['DUKTIG_AUTH_KEY', 'short', /must be 16 to 255 printable characters/],
    ['DUKTIG_AUTH_KEY', 'with a space in the middle', /printable characters without spaces/],
    ['DUKTIG_SECRET', 'only-31-characters-long-secret!', /must be 32 to 255/],
    ['DUKTIG_ISSUER', 'auth.example.com', /must be an http or https URL/],
    ['DUKTIG_ISSUER', 'https://auth.example.com/?a=b', /query or fragment/],
    ['DUKTIG_ISSUER', 'https://auth.example.com/#a', /query or fragment/],
    ['DUKTIG_ISSUER', 'ftp://auth.example.com', /http or https/],
    ['DUKTIG_ISSUER', 'https://auth.example.com\n', /without spaces/],
    ['DUKTIG_ISSUER', ' https://auth.example.com', /without spaces/],
    ['DUKTIG_ISSUER', 'https:auth.example.com', /such as https:/],
    ['DUKTIG_ISSUER', 'https://user:password@auth.example.com', /without spaces, user/],
    ['DUKTIG_ISSUER', `https://${'a'.repeat(300)}.example`, /such as https:/],
    ['DUKTIG_DATABASE_URL', 'postgres://db.example.com/%ff', /must be postgres:/],
    ['DUKTIG_AUDIENCE', 'two words', /without spaces/],
    ['DUKTIG_MODE', 'Production', /must be one of: production, development, not "Production"$/],
    ['DUKTIG_MAINTENANCE', 'true', /must be one of: on, off/],
    ['DUKTIG_TIME_ZONE', 'Yerevan', /must be an IANA time zone/],
    ['DUKTIG_REGISTRATION_STATUS', '2', /must be one of: 0, 1/],
    ['DUKTIG_CORS_ORIGINS', '*', /must be an origin .*, not "\*"$/m],
    ['DUKTIG_CORS_ORIGINS', 'https://a.example,', /must be an origin .*, not ""$/m],
    ['DUKTIG_CORS_ORIGINS', 'https://a.example/path', /must be an origin/],
    ['DUKTIG_CORS_ORIGINS', '*,https://a.example,x', /must be an origin .*, not "\*, x"$/m],
    ['DUKTIG_CORS_ORIGINS', 'https://a.example/', /must be an origin/],
    // Browsers write origins in lower case and without the usual port; another spelling would never match.
    ['DUKTIG_CORS_ORIGINS', 'https://A.example', /must be an origin/],
    ['DUKTIG_CORS_ORIGINS', 'https://a.example:443', /must be an origin/],
    ['DUKTIG_CORS_ORIGINS', 'https://:::', /must be an origin/],
    ['DUKTIG_TRUSTED_PROXIES', 'proxy.example.com', /must be an address or a range/],
    ['DUKTIG_TRUSTED_PROXIES', '999.1.1.1', /must be an address or a range/],
    ['DUKTIG_TRUSTED_PROXIES', '10.0.0', /must be an address or a range/],
    ['DUKTIG_TRUSTED_PROXIES', '10.0.0.0/33', /must be an address or a range/],
    ['DUKTIG_TRUSTED_PROXIES', '0.0.0.0/0', /must be an address or a range/],
    ['DUKTIG_TRUSTED_PROXIES', '2001:db8::/129', /must be an address or a range/],
    ['DUKTIG_TRUSTED_PROXIES', '10.0.0.0/', /must be an address or a range/],
    ['DUKTIG_TRUSTED_PROXIES', 'ffff', /must be an address or a range/],
    ['DUKTIG_ACCESS_TOKEN_ALG', 'none', /must be one of: HS256, ES256, EdDSA, RS256/],
    ['DUKTIG_ACCESS_TOKEN_TTL_SECONDS', '0', /must be a whole number, 10 to 86400/],
    ['DUKTIG_ACCESS_TOKEN_HEADER', 'My Token', /must be a header name/],
    ['DUKTIG_ACCESS_TOKEN_HEADER', 'x:y', /must be a header name/],
    ['DUKTIG_LOG_LEVEL', 'verbose', /must be one of: debug, info, warn, error, silent/],
  ]
  for (const [variable, text, mistake] of rows) {
    test(`${variable}=${text}`, () => {
      const [first = '', ...others] = mistakesOf({ [variable]: text })
      assert.ok(first.startsWith(`${variable} `), first)
      assert.match(first, mistake)
      assert.deepEqual(others, [])
    })
  }
})

describe('a credential has a header of its own', () => {
  const settings = ['DUKTIG_AUTH_KEY_HEADER', 'DUKTIG_ACCESS_TOKEN_HEADER', 'DUKTIG_REFRESH_TOKEN_HEADER']
  const taken =
    'Host Content-Type Content-Length Transfer-Encoding Connection Cookie Authorization Idempotency-Key X-Device-Id ' +
    'X-Device-Token X-Real-Ip Forwarded X-Forwarded-For Origin User-Agent Accept Accept-Language Sec-Fetch-Mode TE'
  for (const variable of settings) {
    test(`${variable} takes none that means something else`, () => {
      for (const name of taken.split(' ').flatMap((one) => [one, one.toUpperCase()])) {
        const mistake = `${variable} must be the name of a header that has no other meaning, not "${name}"`
        assert.deepEqual(mistakesOf({ [variable]: name }), [mistake])
      }
    })
    test(`${variable} takes names that only begin like those`, () => {
      for (const name of ['Hosts', 'X-Api-Key', 'Acceptor', 'Access', 'X-Authorization'])
        assert.deepEqual(mistakesOf({ [variable]: name }), [])
    })
  }
  test('X-Refresh-Token is one of the refresh token alone', () => {
    const [key = '', access = '', refresh = ''] = settings
    assert.deepEqual(mistakesOf({ [refresh]: 'X-Refresh-Token' }), [])
    for (const variable of [key, access]) {
      const [first, ...others] = mistakesOf({ [variable]: 'X-Refresh-Token' })
      assert.match(first ?? '', new RegExp(`^${variable} must be the name of a header`))
      assert.deepEqual(others, [])
    }
  })
})

test('every kind refuses something, in one line', () => {
  for (const { variable, kind } of definitions) {
    const parsed = kind.parse('\n')
    assert.ok('mistake' in parsed, variable)
    assert.equal(parsed.mistake.split('\n').length <= 2, true)
  }
})

describe('settings that contradict each other', () => {
  const rows: [name: string, variables: Record<string, string>, mistake: RegExp][] = [
    [
      'two headers of one name',
      { DUKTIG_AUTH_KEY_HEADER: 'access-TOKEN' },
      /^DUKTIG_AUTH_KEY_HEADER and DUKTIG_ACCESS_TOKEN_HEADER must differ; they are "access-token"$/,
    ],
    [
      'three headers of one name',
      { DUKTIG_AUTH_KEY_HEADER: 'X', DUKTIG_ACCESS_TOKEN_HEADER: 'X', DUKTIG_REFRESH_TOKEN_HEADER: 'x' },
      /^DUKTIG_AUTH_KEY_HEADER, DUKTIG_ACCESS_TOKEN_HEADER and DUKTIG_REFRESH_TOKEN_HEADER must differ; they are "x"$/,
    ],
    [
      'a retry window shorter than the parallel one',
      { DUKTIG_REFRESH_PARALLEL_WINDOW_SECONDS: '61' },
      /RETRY_WINDOW_SECONDS \(\d+\) must not be less/,
    ],
    [
      'an access token that outlives its session',
      { DUKTIG_ACCESS_TOKEN_TTL_SECONDS: '3600', DUKTIG_REFRESH_TOKEN_TTL_SECONDS: '3599' },
      /must not exceed DUKTIG_REFRESH_TOKEN_TTL_SECONDS \(\d+\)/,
    ],
    [
      'one port for two listeners',
      { DUKTIG_PORT: '8089' },
      /DUKTIG_PORT and DUKTIG_METRICS_PORT must differ/,
    ],
  ]
  for (const [name, variables, mistake] of rows) {
    test(name, () => {
      const [first, ...others] = mistakesOf(variables)
      assert.match(first ?? '', mistake)
      assert.deepEqual(others, [])
    })
  }
  test('two free ports do not', () => {
    assert.deepEqual(mistakesOf({ DUKTIG_PORT: '0', DUKTIG_METRICS_PORT: '0' }), [])
  })
})

test('all mistakes are told at once, a line each', () => {
  const wrong = {
    DUKTIG_PORT: 'x',
    DUKTIG_MODE: 'x',
    DUKTIG_TIME_ZONE: 'x',
    DUKTIG_PROT: '1',
    DUKTIG_LOG_LEVEL: 'x',
  }
  assert.equal(mistakesOf(wrong).length, 5)
  assert.throws(
    () => readSettings(wrong),
    ({ message }: Error) =>
      message.startsWith('The settings need mending:\n') && message.split('\n').length === 6,
  )
})

test('a variable that is no setting is told, for it was meant to be one', () => {
  assert.deepEqual(mistakesOf({ DUKTIG_PROT: '80', PATH: '/bin', duktig_port: 'x', DUKTIG_TEST_SEED: '1' }), [
    'DUKTIG_PROT is no setting; `duktig --help` lists them all',
  ])
})

test('what Kubernetes tells of services called duktig and duktig-db is no mistake', () => {
  const settings = readSettings({
    DUKTIG_SERVICE_HOST: '10.96.12.7',
    DUKTIG_SERVICE_PORT: '8088',
    DUKTIG_SERVICE_PORT_HTTP: '8088',
    DUKTIG_PORT: 'tcp://10.96.12.7:8088',
    DUKTIG_PORT_8088_TCP: 'tcp://10.96.12.7:8088',
    DUKTIG_PORT_8088_TCP_PROTO: 'tcp',
    DUKTIG_DB_SERVICE_HOST: '10.96.12.8',
    DUKTIG_DB_PORT: 'tcp://10.96.12.8:5432',
  })
  assert.equal(settings.port, 8088)
  assert.equal(mistakesOf({ DUKTIG_DB_PORT: '5432' }).length, 1)
})

test('what Kubernetes tells does not stand in the way of a file', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-settings-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, '.env')
  writeFileSync(file, 'DUKTIG_PORT=9000\nDUKTIG_METRICS_PORT=9001\n')
  const { port, metricsPort } = readSettingsWithFile({ DUKTIG_PORT: 'tcp://10.96.12.7:8088' }, file)
  assert.deepEqual([port, metricsPort], [9000, 9001])
})

test('a secret is never shown, not even in its mistake', () => {
  for (const { variable, kind } of definitions.filter(({ secret }) => secret === true)) {
    assert.ok('mistake' in kind.parse('my\nvalue'), variable)
    const [mistake = '', ...others] = mistakesOf({ [variable]: 'my\nvalue' })
    assert.ok(mistake.startsWith(`${variable} must be `), variable)
    assert.equal(mistake.includes('value'), false, mistake)
    assert.deepEqual(others, [])
  }
})

test('keys, passwords and the master secret are secrets', () => {
  const secret = definitions.filter((d) => d.secret === true).map(({ variable }) => variable)
  const named = definitions.filter(({ variable }) => /_SECRET$|_KEY$|DATABASE_URL$/.test(variable))
  assert.deepEqual(
    named.map(({ variable }) => variable),
    secret,
  )
})
