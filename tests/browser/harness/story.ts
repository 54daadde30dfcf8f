// What a story is given: a server of its own, and pictures of every page when it fails.
import { test as base } from '@playwright/test'
import { type Options, Server } from './server'

export const test = base.extend<{ server: Server; serverOptions: Options }>({
  serverOptions: [{}, { option: true }],
  server: async ({ serverOptions }, use, info) => {
    const server = await Server.start(serverOptions)
    await use(server)
    if (info.status !== info.expectedStatus) await info.attach('server', { body: server.output(), contentType: 'text/plain' })
    await server.end()
  },
})
export { expect } from '@playwright/test'
