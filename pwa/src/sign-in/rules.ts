// What a login, a password and an organisation's code must be; the same rules as the server's.
import { m } from '../paraglide/messages.js'

export const SHORTEST_PASSWORD = 12

/** "Maendeleo ya Vijiji" → "MAENDELEO-YA-VIJIJI", at most 20 characters, whole words. */
export function codeFrom(name: string): string {
  const words =
    name
      .normalize('NFD')
      .replace(/[\u0300-\u036f]/g, '')
      .toUpperCase()
      .match(/[A-Z0-9]+/g) ?? []
  let code = ''
  for (const word of words) {
    const longer = code ? `${code}-${word}` : word
    if (longer.length > 20) return code || word.slice(0, 20)
    code = longer
  }
  return code
}

/** "Amina Wanjiru Hassan" → "amina.hassan" */
export function loginFrom(name: string): string {
  const words =
    name
      .normalize('NFD')
      .replace(/[\u0300-\u036f]/g, '')
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? []
  return [...new Set([words[0], words.at(-1)])].filter(Boolean).join('.')
}

export function loginFault(login: string): { login?: string } {
  return /^[a-z0-9._\-@+]{3,80}$/i.test(login.trim()) ? {} : { login: m.setup_login_fault() }
}

export function passwordFaults(password: string, repeat: string): { password?: string; repeat?: string } {
  if ([...password].length < SHORTEST_PASSWORD) return { password: m.error_password_too_short() }
  return password === repeat ? {} : { repeat: m.setup_repeat_fault() }
}
