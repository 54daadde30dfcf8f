// A real identity provider on loopback (oidc-provider, certified): PKCE is demanded, whoever signs in has verified
// their e-mail address unless it begins with "unverified".
import Provider from 'oidc-provider'

const port = Number(process.env.PORT)
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: 'kilele', client_secret: 'a-secret-of-both', redirect_uris: [process.env.REDIRECT], token_endpoint_auth_method: 'client_secret_post' }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: `person-${id}`, email: id, email_verified: !id.startsWith('unverified') }),
  }),
})
provider.listen(port, '127.0.0.1', () => console.log('listening'))
