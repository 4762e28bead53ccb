import type { Device } from '../../core/session.ts'
import { LIMITS } from '../../settings/limits.ts'
import { type HttpRequest, header } from '../route.ts'

/** What a new session records about the client. */
export function deviceOf(request: HttpRequest): Device {
  return {
    address: request.address,
    userAgent: label(header(request, 'user-agent')),
    deviceId: label(header(request, 'x-device-id')),
  }
}

/** A header's text, cut to `deviceTextCharacters`. Node decodes header bytes as Latin-1; most clients send UTF-8. */
function label(value: string): string | null {
  const text = Buffer.from(value, 'latin1').toString('utf8').replaceAll('\0', '').trim()
  return text === '' ? null : [...text].slice(0, LIMITS.deviceTextCharacters).join('')
}
