// Values that the build writes in.
/// <reference types="svelte" />
/// <reference types="vite/client" />
declare const __VERSION__: string
/** Hash over the list of files; in the worker only. */
declare const __SHELL__: string
declare const __FILES__: { url: string; revision: string }[]

declare module 'leaflet/dist/leaflet-src.esm.js' {
  export * from 'leaflet'
}
