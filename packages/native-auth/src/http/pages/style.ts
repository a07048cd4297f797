/** The one style sheet: system fonts, one accent, light and dark. */
export const STYLE = `
:root{color-scheme:light dark;--ground:#f6f7f9;--card:#fff;--ink:#1b1f24;--soft:#57606a;--line:#8c959f;--hair:#d8dee4;--accent:#0b57d0;--on-accent:#fff;--bad:#b3261e;--bad-ground:#fdeceb;--good:#146c2e;--good-ground:#e8f5ec}
@media (prefers-color-scheme:dark){:root{--ground:#0f1419;--card:#171d24;--ink:#e6edf3;--soft:#9fb0c0;--line:#6b7a89;--hair:#2c3640;--accent:#8ab4ff;--on-accent:#0b1a33;--bad:#ffb4ab;--bad-ground:#3b1513;--good:#8fdba6;--good-ground:#10301b}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
header{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;align-items:center;justify-content:space-between;padding:.75rem 1.25rem;background:var(--card);border-bottom:1px solid var(--hair)}
.service{font-weight:650}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}
a{color:var(--accent);text-underline-offset:.2em}
main{max-width:26rem;margin:2.5rem auto;padding:1.75rem;background:var(--card);border:1px solid var(--hair);border-radius:12px}
main.authorize{max-width:60rem}main.account,main.person{max-width:40rem}
h1{margin:0 0 1.25rem;font-size:1.5rem;line-height:1.25}h2{margin:2rem 0 .75rem;font-size:1.125rem}
form{display:grid;gap:1rem;margin:0}
.field{display:grid;gap:.25rem}
label{font-weight:550}
input:not([type=checkbox]),select{width:100%;min-height:2.75rem;padding:.5rem .75rem;font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:8px}
input[aria-invalid=true]{border-color:var(--bad);border-width:2px}
input[type=checkbox]{width:1.25rem;height:1.25rem;margin:.125rem .5rem 0 0;flex:none}
.check{display:flex;align-items:flex-start}.check label{font-weight:400}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
button{min-height:2.75rem;padding:.5rem 1.25rem;font:inherit;font-weight:600;color:var(--on-accent);background:var(--accent);border:1px solid var(--accent);border-radius:8px;cursor:pointer}
button.quiet{color:var(--accent);background:transparent;border-color:var(--line);min-height:2.25rem;padding:.25rem .75rem}
button.danger{color:var(--bad);background:transparent;border-color:var(--bad);min-height:2.25rem;padding:.25rem .75rem}
.hint{margin:0;color:var(--soft);font-size:.875rem}
.error{margin:0;color:var(--bad);font-size:.875rem}
.notice{margin:0 0 1.25rem;padding:.75rem 1rem;border-radius:8px;color:var(--good);background:var(--good-ground)}
.notice.bad{color:var(--bad);background:var(--bad-ground)}
.more{margin:1.25rem 0 0}
code,.codes{font-family:ui-monospace,monospace;overflow-wrap:anywhere}
.codes{padding-left:1.5rem;line-height:1.75}
.qr{width:12rem;max-width:100%;background:#fff;border-radius:8px}.qr svg{display:block;width:100%;height:auto}
.search{display:flex;gap:.5rem;margin-bottom:1rem}.search input{flex:1;min-width:0}
ul.people{list-style:none;margin:0;padding:0}
ul.people>li{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;justify-content:space-between;padding:.75rem 0;border-top:1px solid var(--hair)}
.who{min-width:0;overflow-wrap:anywhere}.who b{font-weight:600}
.tag{display:inline-block;padding:0 .5rem;border:1px solid var(--line);border-radius:1rem;font-size:.8125rem;color:var(--soft)}
.acts{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.5rem;align-items:center}.acts form{display:inline}
@media (max-width:30rem){main{margin:0 auto;border-width:0 0 1px;border-radius:0;padding:1.25rem}}
`
