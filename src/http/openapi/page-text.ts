/** The page, which knows nothing; addresses are relative, so that a proxy may put it deeper. */
export const pageText = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>RedisDistro API</title>
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<form id="ask" class="swagger-ui" hidden>
<div class="wrapper">
<h2 class="title">RedisDistro API</h2>
<p>This server has tokens, and tells of itself to whoever has one.</p>
<p><label>Token <input id="token" type="password" autocomplete="off" required></label>
<button class="btn authorize" type="submit">Show</button></p>
<p id="refusal" role="alert"></p>
</div>
</form>
<div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`

/** Asks for a token where one is wanted, keeps it in the page alone, and shows the document. */
export const starterText = `'use strict'
const ask = document.getElementById('ask')
const field = document.getElementById('token')
const refusal = document.getElementById('refusal')

function show(spec, token) {
  ask.hidden = true
  const ui = SwaggerUIBundle({
    spec,
    dom_id: '#page',
    deepLinking: true,
    displayRequestDuration: true,
    persistAuthorization: false,
    validatorUrl: null,
    tryItOutEnabled: true,
    onComplete() {
      if (token) ui.preauthorizeApiKey('bearer', token)
    },
  })
}

async function load(token) {
  const headers = token ? { authorization: 'Bearer ' + token } : {}
  const answer = await fetch('openapi.json', { headers })
  const body = await answer.json()
  if (answer.ok) return show(body, token)
  ask.hidden = false
  refusal.textContent = token || answer.status !== 401 ? body.detail : ''
  field.focus()
}

const tell = (error) => {
  ask.hidden = false
  refusal.textContent = String(error)
}

ask.addEventListener('submit', (event) => {
  event.preventDefault()
  load(field.value.trim()).catch(tell)
})
load('').catch(tell)
`
