// Certificates of staff: asked of the server, online.
import { request } from './client'
import type { components } from './schema'
import type { Id } from './records'

type Schemas = components['schemas']
export type Certificate = Schemas['Certificate']
export type Term = Schemas['CertificateTerm']

export const certificates = (): Promise<{ items: Certificate[] }> => request('/api/certificates')
export const addCertificate = (json: Schemas['NewCertificate']): Promise<Certificate> => request('/api/certificates', { json })
export const renewCertificate = (id: Id, json: Term): Promise<Certificate> => request(`/api/certificates/${id}/renew`, { json })
export const withdrawCertificate = (id: Id, reason: string): Promise<Certificate> =>
  request(`/api/certificates/${id}/withdraw`, { json: { reason } })
