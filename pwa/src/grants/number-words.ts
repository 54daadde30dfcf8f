// Amounts in words, as they are said aloud and written on cheques: "fifteen thousand", "elfu kumi na tano".
import type { Language } from '../api/records'

const EN = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen']
const EN_TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety']
const SW = ['sifuri', 'moja', 'mbili', 'tatu', 'nne', 'tano', 'sita', 'saba', 'nane', 'tisa', 'kumi']
const SW_TENS = ['', 'kumi', 'ishirini', 'thelathini', 'arobaini', 'hamsini', 'sitini', 'sabini', 'themanini', 'tisini']

function english(n: number): string {
  if (n < 20) return EN[n]!
  if (n < 100) return EN_TENS[Math.floor(n / 10)]! + (n % 10 ? `-${EN[n % 10]}` : '')
  if (n < 1000) return `${EN[Math.floor(n / 100)]} hundred${n % 100 ? ` and ${english(n % 100)}` : ''}`
  const [size, name] = n < 1e6 ? [1e3, 'thousand'] : n < 1e9 ? [1e6, 'million'] : [1e9, 'billion']
  const rest = n % size
  return `${english(Math.floor(n / size))} ${name}${rest ? (rest < 100 ? ' and ' : ' ') + english(rest) : ''}`
}

/** The multiplier follows its word. A comma parts what "elfu kumi na tano" would leave open: 15,000 or 10,005. */
function swahili(n: number): string {
  if (n <= 10) return SW[n]!
  if (n < 100) return SW_TENS[Math.floor(n / 10)]! + (n % 10 ? ` na ${SW[n % 10]}` : '')
  const [size, name] = n < 1e3 ? [100, 'mia'] : n < 1e5 ? [1e3, 'elfu'] : n < 1e6 ? [1e5, 'laki'] : n < 1e9 ? [1e6, 'milioni'] : [1e9, 'bilioni']
  const [many, rest] = [Math.floor(n / size), n % size]
  const join = size === 100 ? ' na ' : rest < 100 ? ', na ' : ', '
  return `${name} ${swahili(many)}${rest ? join + swahili(rest) : ''}`
}

const units: Record<string, { en: [string, string]; sw: [string, string] }> = {
  KES: { en: ['Kenya shillings', 'cents'], sw: ['shilingi za Kenya', 'senti'] },
  TZS: { en: ['Tanzania shillings', 'cents'], sw: ['shilingi za Tanzania', 'senti'] },
  UGX: { en: ['Uganda shillings', 'cents'], sw: ['shilingi za Uganda', 'senti'] },
}

/** Whole amounts first, then what is behind the point. */
export function inWords(minor: number, currency: string, language: Language): string {
  const [whole, cents] = [Math.floor(minor / 100), minor % 100]
  const [unit, part] = units[currency]?.[language] ?? [currency, language === 'sw' ? 'senti' : 'cents']
  const text =
    language === 'sw'
      ? `${unit} ${swahili(whole)}${cents ? ` na ${part} ${swahili(cents)}` : ''}`
      : `${english(whole)} ${unit}${cents ? ` and ${english(cents)} ${part}` : ''}`
  return text[0]!.toUpperCase() + text.slice(1)
}
