// What a story is given: a server of its own, phones and tablets, a line between them. All of it ends with the
// story; when the story fails, what each screen showed and the server wrote is kept.
import { writeFileSync } from 'node:fs'
import { test as base, type BrowserContextOptions } from '@playwright/test'
import { Device } from './phone'
import { Line } from './proxy'
import { type Options, Server } from './server'

interface Given {
  serverOptions: Options
  server: Server
  /** A phone unless said otherwise, at the server unless another address is given. */
  device: (options?: BrowserContextOptions, url?: string, args?: string[]) => Promise<Device>
  /** A line to the server that can be held, cut and counted. */
  line: Line
}

export const test = base.extend<Given>({
  serverOptions: [{}, { option: true }],
  server: async ({ serverOptions }, use, info) => {
    const server = await Server.start(serverOptions)
    await use(server)
    if (info.status !== info.expectedStatus) writeFileSync(info.outputPath('server.log'), server.output())
    await server.end()
  },
  line: async ({ server }, use) => {
    const line = await Line.to(server.port)
    await use(line)
    await line.down()
  },
  device: async ({ server }, use, info) => {
    const open: Device[] = []
    await use(async (options, url = server.url, args = []) => {
      const device = await Device.open(url, options, args)
      open.push(device)
      return device
    })
    for (const [i, device] of open.entries()) {
      if (info.status !== info.expectedStatus) {
        await device.page.screenshot({ path: info.outputPath(`screen-${i + 1}.png`), timeout: 5000 }).catch(() => undefined)
        if (device.errors.length) writeFileSync(info.outputPath(`errors-${i + 1}.txt`), device.errors.join('\n'))
      }
      await device.end()
    }
  },
})
export { expect } from '@playwright/test'
