// The day's visits on a map: Leaflet, over the villages that are known, and over pictures of the land where there are any.
// Its modules: the other file would bring a runtime of its own into the first screen.
import * as L from 'leaflet/dist/leaflet-src.esm.js'
import 'leaflet/dist/leaflet.css'
import type { VisitState } from '../api/records'

export interface Spot {
  key: string
  lat: number
  lon: number
  /** Metres. */
  accuracy: number | null
  state: VisitState
  /** What stands in the bubble when it is chosen. */
  bubble: () => HTMLElement
  /** What is said of it in one line. */
  title: string
}
export interface Village {
  name: string
  lat: number
  lon: number
}
export interface Shown {
  spots: Spot[]
  villages: Village[]
}
export interface Land {
  show: (shown: Shown) => void
  /** All of it in sight. */
  whole: () => void
  end: () => void
}

const still = matchMedia('(prefers-reduced-motion: reduce)')
/** No nearer than this by itself: one visit alone would be a spot in an empty field. */
const NEAREST = 14
const NAMED_FROM = 11

export function land(
  at: HTMLElement,
  words: { zoomIn: string; zoomOut: string },
  tiles: { url: string } | null | undefined,
): Land {
  const map = L.map(at, {
    zoomControl: false,
    attributionControl: false,
    zoomAnimation: !still.matches,
    fadeAnimation: !still.matches,
    markerZoomAnimation: !still.matches,
    inertia: !still.matches,
    // A page is scrolled past a map.
    scrollWheelZoom: false,
    preferCanvas: true,
  })
  map.setView([0, 37], 6)
  L.control.zoom({ zoomInTitle: words.zoomIn, zoomOutTitle: words.zoomOut }).addTo(map)
  L.control.scale({ imperial: false }).addTo(map)
  if (tiles) L.tileLayer(tiles.url, { maxZoom: 19 }).addTo(map)
  const around = L.layerGroup().addTo(map)
  const names = L.layerGroup().addTo(map)
  const spots = new Map<string, { spot: Spot; marker: L.Marker }>()
  let latest: Shown = { spots: [], villages: [] }
  let framed = false
  /** Somebody chose what they look at. */
  let moved = false
  let own = false

  function whole(): void {
    const points = (latest.spots.length ? latest.spots : latest.villages).map(({ lat, lon }) => L.latLng(lat, lon))
    own = true
    if (points.length) map.fitBounds(L.latLngBounds(points), { padding: [36, 36], maxZoom: NEAREST, animate: false })
    own = moved = false
    framed = latest.spots.length > 0
  }

  const named = () => at.classList.toggle('named', map.getZoom() >= NAMED_FROM)
  map.on('zoomend', named)
  map.on('zoomstart dragstart', () => (moved ||= !own))
  const size = new ResizeObserver(() => {
    map.invalidateSize({ animate: false })
    if (!moved) whole()
  })
  size.observe(at)

  return {
    show(shown) {
      latest = shown
      names.clearLayers()
      for (const { name, lat, lon } of shown.villages) {
        const label = document.createElement('span')
        label.textContent = name
        L.marker([lat, lon], { icon: L.divIcon({ className: 'village', html: label, iconSize: [12, 12] }), interactive: false, keyboard: false }).addTo(names)
      }
      const now = new Set(shown.spots.map(({ key }) => key))
      for (const [key, { marker }] of spots) if (!now.has(key)) (marker.remove(), spots.delete(key))
      around.clearLayers()
      const colour = getComputedStyle(at).getPropertyValue('--brand').trim()
      for (const spot of shown.spots) {
        const icon = L.divIcon({ className: `spot ${spot.state}`, iconSize: [22, 22] })
        const before = spots.get(spot.key)
        if (!before) {
          // The table beside it is for keys and readers: hundreds of stops between here and there are nobody's way.
          const marker = L.marker([spot.lat, spot.lon], { icon, title: spot.title, keyboard: false, riseOnHover: true }).addTo(map)
          marker.bindPopup(() => spots.get(spot.key)?.spot.bubble() ?? document.createElement('p'), { closeButton: false, autoPanPadding: [24, 24] })
          spots.set(spot.key, { spot, marker })
        } else {
          if (before.spot.state !== spot.state) before.marker.setIcon(icon)
          before.spot = spot
        }
        if (spot.accuracy) L.circle([spot.lat, spot.lon], { radius: spot.accuracy, color: colour, weight: 1, fillOpacity: 0.12, interactive: false }).addTo(around)
      }
      if (!framed) whole()
      named()
    },
    whole,
    end() {
      size.disconnect()
      map.remove()
    },
  }
}
