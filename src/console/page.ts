/** The HTML of the console: two fixed pages. Data never gets in here; the page's script shows it as text. */

const HEAD = `<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/console.css">`;

export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<path fill="#1f5fbf" d="M16 2 28 6v9c0 8-5 13-12 15C9 28 4 23 4 15V6z"/>
<path fill="none" stroke="#fff" stroke-width="3" d="M10 16h12M18 11l5 5-5 5"/>
</svg>`;

/** @param problem one of the server's own sentences */
export function loginPage(problem?: string): string {
  const alert =
    problem === undefined ? '' : `<p class="problem" id="problem" role="alert">${problem}</p>`;
  const described = problem === undefined ? 'hint' : 'problem hint';
  return `<!doctype html>
<html lang="en">
<head>
<title>Log in – MC Security Gateway</title>
${HEAD}
</head>
<body class="login">
<main>
<h1>MC Security Gateway</h1>
${alert}
<form method="post" action="/login">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus
 minlength="32" maxlength="256" spellcheck="false" autocapitalize="none" aria-describedby="${described}">
<p id="hint">The token of this gateway's token file, or what <code>segy console token</code> prints.</p>
<button type="submit">Log in</button>
</form>
</main>
</body>
</html>
`;
}

function section(name: string, title: string, inside: string): string {
  return `<section id="${name}" aria-labelledby="${name}-title" tabindex="-1">
<h2 id="${name}-title">${title} <span class="count" id="${name}-count"></span></h2>
${inside}
</section>`;
}

/** Roles are said again because a narrow screen lays tables out otherwise. */
function table(name: string, columns: readonly string[]): string {
  const heads = columns.map((column) => `<th scope="col" role="columnheader">${column}</th>`);
  return `<p class="empty" id="${name}-empty">Nothing yet.</p>
<table role="table" aria-labelledby="${name}-title" hidden id="${name}-table">
<thead role="rowgroup"><tr role="row">${heads.join('')}</tr></thead>
<tbody role="rowgroup" id="${name}-rows"></tbody>
</table>`;
}

const SPANS = [
  ['2', '2 days'],
  ['14', '2 weeks'],
  ['90', '3 months'],
  ['730', '2 years'],
] as const;

const CALENDAR = `<fieldset class="spans"><legend>Time line shows</legend>
${SPANS.map(
  ([days, text]) =>
    `<label><input type="radio" name="span" value="${days}"${days === '90' ? ' checked' : ''}> ${text}</label>`,
).join('\n')}
</fieldset>
<p class="legend" aria-hidden="true"><span class="key active"></span> in use <span class="key pending"></span> to come <span class="key ended"></span> over <span class="key revoked"></span> revoked <span class="now-key"></span> now <span class="range" id="range"></span></p>
${table('calendar', ['What', 'Owner', 'State', 'From (UTC)', 'Until (UTC)', '<span id="axis">Time line</span>'])}`;

export const CONSOLE_PAGE = `<!doctype html>
<html lang="en">
<head>
<title>MC Security Gateway</title>
${HEAD}
<script type="module" src="/browser/main.js"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the panels</a>
<header>
<h1>MC Security Gateway</h1>
<p id="link" class="link" role="status">Connecting …</p>
<nav aria-label="Panels">
<a href="#alarms">Alarms</a>
<a href="#calls">Calls</a>
<a href="#partners">Partners</a>
<a href="#calendar">Keys</a>
<a href="#audit">Audit</a>
</nav>
<form method="post" action="/logout"><button type="submit">Log out</button></form>
</header>
<main id="main" tabindex="-1">
<dl id="gateway" class="facts" aria-label="The gateway"></dl>
${section(
  'alarms',
  'Alarms',
  `<p class="empty" id="alarms-empty">Nothing yet.</p>
<div aria-live="polite" aria-relevant="additions"><ul id="alarms-rows" role="list" hidden></ul></div>`,
)}
${section(
  'calls',
  'Calls',
  table('calls', ['Who talks', 'Caller', 'Called', 'Partner', 'Protection', 'State', 'For']),
)}
${section('partners', 'Partners', table('partners', ['Partner', 'Ways', 'Trusted KMS certificates']))}
${section('calendar', 'Key calendar', CALENDAR)}
${section(
  'audit',
  'Audit, newest first',
  table('audit', ['Time (UTC)', 'Action', 'Key', 'Who', 'About', 'Detail']),
)}
</main>
<noscript><p class="problem">This page needs its script, which comes from the gateway itself.</p></noscript>
</body>
</html>
`;
