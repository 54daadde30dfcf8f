// The levels of the tree of places, by name.
import { m } from '../paraglide/messages.js'

const names = [m.level_county, m.level_sub_county, m.level_village]
export const levelLabel = (level: number): string => names[level]?.() ?? ''
