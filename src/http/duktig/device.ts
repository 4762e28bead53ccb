import type { Device } from '../../core/session.ts'
import { LIMITS } from '../../settings/limits.ts'
import { type HttpRequest, header } from '../route.ts'

/** What a sign-in notes about the other side. */
export function deviceOf(request: HttpRequest): Device {
  return {
    address: request.address,
    userAgent: label(header(request, 'user-agent')),
    deviceId: label(header(request, 'x-device-id')),
  }
}

/** Cut to its bound. Node reads header bytes as Latin-1; most clients mean UTF-8. */
function label(value: string): string | null {
  const text = Buffer.from(value, 'latin1').toString('utf8').replaceAll('\0', '').trim()
  return text === '' ? null : [...text].slice(0, LIMITS.deviceTextCharacters).join('')
}
