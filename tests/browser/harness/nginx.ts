// A real nginx with the configuration that ships, on free ports and with a certificate made for the occasion.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:net'
import { REPOSITORY } from './paths'
import { alive, freePort, type Running, start, stop, until } from './processes'

const NGINX = process.env.NGINX ?? '/usr/sbin/nginx'
const SHIPPED = join(REPOSITORY, 'nginx')

export class Nginx {
  private process: Running | null = null

  private constructor(
    readonly dir: string,
    readonly config: string,
    /** Without TLS, so that a browser takes it for a secure context by its name alone. */
    readonly plain: string,
    readonly tls: string,
    readonly redirect: string,
    private readonly port: number,
  ) {}

  /** In front of the server on `upstream`. */
  static async start(upstream: number): Promise<Nginx> {
    const dir = mkdtempSync(join(tmpdir(), 'kilele-nginx-'))
    const [plain, tls, redirect] = [await freePort(), await freePort(), await freePort()]
    for (const name of ['tls', 'temp']) mkdirSync(join(dir, name))
    certificate(dir)
    const config = join(dir, 'nginx.conf')
    writeFileSync(config, rendered(dir, { upstream, plain, tls, redirect }))
    const nginx = new Nginx(dir, config, `http://localhost:${plain}`, `https://localhost:${tls}`, `http://localhost:${redirect}`, plain)
    await nginx.up()
    return nginx
  }

  /** What `nginx -t` says; throws when it says no. */
  test(): string {
    return execFileSync(NGINX, ['-t', '-c', this.config, '-p', this.dir], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  async up(): Promise<void> {
    this.test()
    const begun = start(NGINX, ['-c', this.config, '-p', this.dir, '-g', 'daemon off;'])
    this.process = begun
    await until('nginx', async () => {
      if (!alive(begun.child)) throw new Error(`nginx ended:\n${begun.output()}`)
      return listens(this.port)
    })
  }

  log(): string {
    return readFileSync(join(this.dir, 'access.log'), 'utf8')
  }

  async end(): Promise<void> {
    if (this.process) await stop(this.process.child, 'SIGTERM')
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/** The shipped file with this machine's ports and folders in place of the operator's. Each of them must be there. */
function rendered(dir: string, ports: { upstream: number; plain: number; tls: number; redirect: number }): string {
  let text = readFileSync(join(SHIPPED, 'nginx.conf'), 'utf8')
  const put = (from: string | RegExp, to: string) => {
    const before = text
    text = text.replaceAll(from, to)
    if (text === before) throw new Error(`nginx.conf has no ${from}`)
  }
  put(/^user .*;$/gm, process.getuid?.() === 0 ? `user ${userInfo().username};` : '')
  put('/run/nginx.pid', join(dir, 'nginx.pid'))
  put('/var/log/nginx/', `${dir}/`)
  put('/etc/nginx/tls/', `${dir}/tls/`)
  put('server 127.0.0.1:8080 ', `server 127.0.0.1:${ports.upstream} `)
  put(/^.*listen \[::\].*\n/gm, '')
  put('listen 80 ', `listen 127.0.0.1:${ports.redirect} `)
  put('listen 443 ', `listen 127.0.0.1:${ports.tls} `)
  for (const name of ['http.conf', 'kilele.conf']) put(`include ${name};`, `include ${join(SHIPPED, name)};`)
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${dir}/temp/${kind};`)
  put(/^http \{$/gm, `http {\n    ${temp.join('\n    ')}`)
  // The same addresses without TLS.
  return text.replace(/\}\s*$/, `    server {\n        listen 127.0.0.1:${ports.plain};\n        include ${SHIPPED}/kilele.conf;\n    }\n}\n`)
}

function certificate(dir: string): void {
  const out = ['-keyout', join(dir, 'tls/privkey.pem'), '-out', join(dir, 'tls/fullchain.pem')]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  execFileSync('openssl', ['req', '-x509', ...key, ...out, '-days', '2', '-subj', '/CN=localhost'], { stdio: 'ignore' })
}

function listens(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      answer(true)
    })
    socket.once('error', () => answer(false))
  })
}
