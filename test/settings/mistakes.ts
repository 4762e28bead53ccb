import assert from 'node:assert/strict'
import { SettingsError, readSettings, readSettingsWithFile } from '../../src/settings/read-settings.ts'

/** The mistakes that a start with these variables, and this `.env` file, reports. */
export function mistakesOf(
  variables: Readonly<Record<string, string | undefined>>,
  file?: string,
): readonly string[] {
  try {
    if (file === undefined) readSettings(variables)
    else readSettingsWithFile(variables, file)
    return []
  } catch (error) {
    assert.ok(error instanceof SettingsError)
    return error.mistakes
  }
}
