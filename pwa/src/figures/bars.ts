// Bars on a canvas, in the colours of the tokens and with patterns: Chart.js, of it only what bars need.
import { BarController, BarElement, CategoryScale, Chart, type ChartDataset, LinearScale, Tooltip } from 'chart.js'

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip)

export type Tone = 'brand' | 'accent' | 'danger' | 'ink'
export interface Series {
  name: string
  tone: Tone
  values: number[]
}
export interface Bars {
  /** Short, as they stand at the axis. */
  labels: string[]
  series: Series[]
  stacked?: boolean
  /** From left to right: for labels that are words. */
  lying?: boolean
}
export interface Drawn {
  show: (bars: Bars) => void
  end: () => void
}

const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
const COLOURS: Record<Tone, string> = { brand: 'brand', accent: 'accent', danger: 'danger', ink: 'line-strong' }

/** Told apart without colours: full, stripes, dots, open. */
function fill(tone: Tone): string | CanvasPattern {
  const colour = token(COLOURS[tone])
  if (tone === 'brand') return colour
  const tile = document.createElement('canvas')
  tile.width = tile.height = 8
  const pen = tile.getContext('2d')
  if (!pen) return colour
  pen.fillStyle = token('surface')
  pen.fillRect(0, 0, 8, 8)
  pen.fillStyle = pen.strokeStyle = colour
  if (tone === 'danger') {
    pen.beginPath()
    pen.arc(4, 4, 2.6, 0, 7)
    pen.fill()
  } else if (tone === 'accent') {
    pen.lineWidth = 3.4
    for (const x of [-8, 0, 8]) {
      pen.moveTo(x - 2, 10)
      pen.lineTo(x + 10, -2)
    }
    pen.stroke()
  }
  return pen.createPattern(tile, 'repeat') ?? colour
}

/** `choose` is told which group of bars was clicked. */
export function bars(canvas: HTMLCanvasElement, first: Bars, choose?: (index: number) => void): Drawn {
  let shown = first
  const look = ({ name, tone, values }: Series): ChartDataset<'bar', number[]> => ({
    label: name,
    data: values,
    backgroundColor: fill(tone),
    hoverBackgroundColor: fill(tone),
    borderColor: token(COLOURS[tone]),
    borderWidth: 1.5,
    borderRadius: 3,
    maxBarThickness: 34,
    categoryPercentage: 0.82,
    barPercentage: 0.94,
  })
  const font = { family: token('font'), size: 13 }
  const words = () => ({ color: token('ink-2'), font })
  const axis = (values: boolean) => ({
    stacked: first.stacked ?? false,
    beginAtZero: true,
    border: { display: !values, color: token('line-strong') },
    grid: { display: values, color: token('line'), drawTicks: false },
    ticks: { ...words(), precision: 0, padding: 6, maxRotation: 0, autoSkip: !first.lying, ...(values ? { maxTicksLimit: 6 } : { autoSkipPadding: 10 }) },
    ...(values ? { suggestedMax: 4 } : {}),
  })
  const scales = () => ({ x: axis(first.lying ?? false), y: axis(!first.lying) })
  const tip = () => ({
    mode: 'index' as const,
    intersect: false,
    axis: first.lying ? ('y' as const) : ('x' as const),
    backgroundColor: token('ink'),
    titleColor: token('surface'),
    bodyColor: token('surface'),
    titleFont: { ...font, weight: 'bold' as const },
    bodyFont: font,
    padding: 10,
    cornerRadius: 8,
    displayColors: false,
  })
  const make = () => new Chart(canvas, {
    type: 'bar',
    data: { labels: shown.labels, datasets: shown.series.map(look) },
    options: {
      indexAxis: first.lying ? 'y' : 'x',
      maintainAspectRatio: false,
      // Nothing moves: bars change in place, for everybody.
      animation: false,
      scales: scales(),
      plugins: { tooltip: tip() },
      interaction: { mode: 'index', intersect: false, axis: first.lying ? 'y' : 'x' },
      onClick: (_, [hit]) => hit && choose?.(hit.index),
    },
  })
  let chart = make()

  /** Another look (light, dark, contrast, paper) with the same figures: what was drawn keeps colours that it resolved once. */
  function again(): void {
    chart.destroy()
    chart = make()
  }
  const looks = ['(prefers-color-scheme: dark)', '(prefers-contrast: more)', 'print'].map((query) => matchMedia(query))
  for (const media of looks) media.addEventListener('change', again)
  const theme = new MutationObserver(again)
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })

  return {
    show(next) {
      shown = next
      chart.data.labels = next.labels
      chart.data.datasets = next.series.map((series, n) => {
        const before = chart.data.datasets[n]
        return before ? Object.assign(before, { label: series.name, data: series.values }) : look(series)
      })
      chart.update('none')
    },
    end() {
      theme.disconnect()
      for (const media of looks) media.removeEventListener('change', again)
      chart.destroy()
    },
  }
}
