/** The style of both pages. Colours keep a contrast of 4.5 to 1 or more, in light and in dark. */
export const STYLE = `:root {
  color-scheme: light dark;
  --ground: #f4f6f8;
  --sheet: #ffffff;
  --ink: #171b20;
  --quiet: #515a65;
  --line: #cfd6dd;
  --accent: #0b57b8;
  --on-accent: #ffffff;
  --good: #11642c;
  --warn: #7d4600;
  --bad: #b01c16;
  --warn-ground: #fff3df;
  --bad-ground: #fdeceb;
  --bar: #2f74cc;
  --bar-later: #9dbfe8;
  --bar-over: #aab2bb;
  font: 15px/1.45 system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101418;
    --sheet: #191f25;
    --ink: #e9edf1;
    --quiet: #a9b4bf;
    --line: #39434d;
    --accent: #8fbdf7;
    --on-accent: #0d1720;
    --good: #7fd69a;
    --warn: #ffc078;
    --bad: #ff9a93;
    --warn-ground: #33270f;
    --bad-ground: #3a1918;
    --bar: #5c9ce8;
    --bar-later: #34567f;
    --bar-over: #5a646e;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 4.5rem; }
body { margin: 0; background: var(--ground); color: var(--ink); }
[hidden] { display: none !important; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
main:focus, section:focus { outline: none; }
section:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
a { color: var(--accent); }
code, .mono { font-family: ui-monospace, 'DejaVu Sans Mono', Consolas, monospace; font-size: 0.92em; }
.skip { position: absolute; left: -100vw; top: 0; padding: 0.5rem 1rem; z-index: 3; }
.skip:focus { left: 0; background: var(--accent); color: var(--on-accent); }
header {
  position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; align-items: center;
  gap: 0.35rem 1.25rem; padding: 0.55rem 1.25rem;
  background: var(--sheet); border-bottom: 1px solid var(--line);
}
h1 { font-size: 1.05rem; margin: 0; }
h2 { font-size: 1rem; margin: 0 0 0.6rem; }
.count { color: var(--quiet); font-weight: 400; }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin-left: auto; }
nav a { padding: 0.2rem 0; }
.link { margin: 0; color: var(--quiet); }
.link::before { content: ''; display: inline-block; width: 0.65em; height: 0.65em; margin-right: 0.4em; border-radius: 50%; background: var(--bar-over); }
.link.live::before { background: var(--good); }
.link.lost { color: var(--bad); font-weight: 600; }
.link.lost::before { background: var(--bad); border-radius: 0; }
button {
  font: inherit; padding: 0.3rem 0.9rem; border: 1px solid var(--accent); border-radius: 4px;
  background: transparent; color: var(--accent); cursor: pointer;
}
button:hover { background: var(--accent); color: var(--on-accent); }
main { max-width: 96rem; margin: 0 auto; padding: 1rem 1.25rem 3rem; display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
section, .facts { background: var(--sheet); border: 1px solid var(--line); border-radius: 6px; padding: 0.9rem 1.1rem; margin: 0; }
.facts { display: flex; flex-wrap: wrap; gap: 0.5rem 2.2rem; }
.facts div { min-width: 4.5rem; }
.facts dt { color: var(--quiet); font-size: 0.85rem; }
.facts dd { margin: 0; font-weight: 600; }
.empty { margin: 0; color: var(--quiet); }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 0.9rem 0.4rem 0; overflow-wrap: anywhere; }
th { color: var(--quiet); font-weight: 500; font-size: 0.85rem; overflow-wrap: normal; white-space: nowrap; }
tbody tr { border-top: 1px solid var(--line); }
td.fixed { white-space: nowrap; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.quiet { color: var(--quiet); }
.good { color: var(--good); }
.warn { color: var(--warn); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
.talks { color: var(--good); font-weight: 600; }
.talks::before { content: ''; display: inline-block; border-left: 0.6em solid var(--good); border-top: 0.35em solid transparent; border-bottom: 0.35em solid transparent; margin-right: 0.4em; }
.sub { display: block; color: var(--quiet); font-size: 0.88rem; }
.stack > * + * { margin-top: 0.6rem; }
.print { display: block; letter-spacing: 0.02em; }
#alarms-rows { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.4rem; }
#alarms-rows li { padding: 0.4rem 0.7rem; border-left: 5px solid var(--warn); background: var(--warn-ground); overflow-wrap: anywhere; }
#alarms-rows li.critical { border-left-color: var(--bad); background: var(--bad-ground); }
#alarms-rows .name { font-weight: 600; margin-right: 0.6rem; }
.spans { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1.1rem; align-items: center; }
.spans legend { float: left; padding: 0; margin-right: 1.1rem; color: var(--quiet); }
.spans input { accent-color: var(--accent); }
.legend { margin: 0.3rem 0 0.6rem; color: var(--quiet); font-size: 0.88rem; }
.key { display: inline-block; width: 1.6em; height: 0.7em; margin: 0 0.2em 0 0.9em; border-radius: 2px; }
.key:first-child { margin-left: 0; }
.now-key { display: inline-block; width: 2px; height: 1em; margin: 0 0.2em 0 0.9em; vertical-align: -0.15em; background: var(--bad); }
.range { margin-left: 0.9em; white-space: nowrap; }
.active { background: var(--bar); }
.pending { background: var(--bar-later); border: 1px solid var(--bar); }
.ended { background: var(--bar-over); border: 1px solid var(--quiet); }
.revoked { background: repeating-linear-gradient(135deg, var(--bad) 0 4px, var(--sheet) 4px 7px); border: 1px solid var(--bad); }
#calendar-table td.track, #calendar-table th:last-child { width: 34%; padding-right: 0; }
#axis { position: relative; display: block; height: 1.3em; }
#axis span { position: absolute; transform: translateX(-50%); font-size: 0.8rem; }
#axis span:first-child { transform: none; }
#axis span:last-child { transform: translateX(-100%); }
.line { position: relative; height: 1.3rem; background: linear-gradient(var(--line), var(--line)) center / 100% 1px no-repeat; }
.line .bar { position: absolute; top: 0.3rem; height: 0.7rem; min-width: 3px; border-radius: 2px; }
.line .bar.open { mask-image: linear-gradient(90deg, #000 80%, transparent); }
.line .edge { position: absolute; top: 0.1rem; width: 2px; height: 1.1rem; background: var(--ink); }
.line .now { position: absolute; top: -0.35rem; width: 2px; height: 2rem; background: var(--bad); }
tr.is-revoked .name { text-decoration: line-through; }
.badge { display: inline-block; padding: 0 0.4em; border: 1px solid currentcolor; border-radius: 3px; font-size: 0.85rem; }
.login main { max-width: 26rem; padding-top: 12vh; }
.login form { background: var(--sheet); border: 1px solid var(--line); border-radius: 6px; padding: 1.2rem; display: grid; gap: 0.5rem; }
.login h1 { font-size: 1.25rem; }
.login label { font-weight: 600; }
.login input { font: inherit; width: 100%; padding: 0.45rem 0.6rem; border: 1px solid var(--quiet); border-radius: 4px; background: var(--ground); color: var(--ink); }
.login p { margin: 0; color: var(--quiet); }
.login button { justify-self: start; background: var(--accent); color: var(--on-accent); }
.problem, .login .problem { color: var(--bad); background: var(--bad-ground); border-left: 5px solid var(--bad); padding: 0.4rem 0.7rem; }
@media (max-width: 760px) {
  html { scroll-padding-top: 1rem; }
  header { position: static; padding: 0.6rem 0.8rem; }
  nav { margin-left: 0; order: 3; width: 100%; }
  nav a { padding: 0.35rem 0; }
  header form { margin-left: auto; }
  main { padding: 0.7rem 0.6rem 2rem; gap: 0.7rem; }
  section, .facts { padding: 0.7rem 0.8rem; }
  table, tbody, tr, td { display: block; width: auto; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { padding: 0.5rem 0; }
  tbody tr:first-child { border-top: 0; padding-top: 0; }
  td { padding: 0.1rem 0; display: grid; grid-template-columns: 6.2rem minmax(0, 1fr); }
  td::before { content: attr(data-label); color: var(--quiet); font-size: 0.88rem; }
  td.fixed { white-space: normal; }
  #calendar-table td.track { width: auto; display: block; padding-top: 0.3rem; }
  #calendar-table td.track::before { content: none; }
  td.none { display: none; }
  #alarms-rows .name { display: block; }
  .range { display: block; margin-left: 0; }
  .spans legend { float: none; width: 100%; }
}
@media (prefers-reduced-motion: no-preference) {
  html { scroll-behavior: smooth; }
}
@media (forced-colors: active) {
  .bar, .key, .now, .edge, .now-key { forced-color-adjust: none; }
}
`;
