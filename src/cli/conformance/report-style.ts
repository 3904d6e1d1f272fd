/** Of the report: light and dark as the reader has it, narrow and wide, and ink on paper. */
export const reportStyle = `
:root{color-scheme:light dark;--accent:#0b5fff;--ground:#f3f5f9;--card:#fff;--ink:#131a26;--soft:#51607a;--line:#d5dce8;
--met:#17663a;--met-ground:#e2f4e9;--deviates:#a3241d;--deviates-ground:#fde8e6;--operator:#7a5200;--operator-ground:#fdf1d7;--other:#46536a;--other-ground:#e9edf4}
@media (prefers-color-scheme:dark){:root{--accent:#8ab4ff;--ground:#0d1219;--card:#161d28;--ink:#e8edf5;--soft:#a3b1c6;--line:#2f3b4d;
--met:#8fdcae;--met-ground:#143524;--deviates:#ffb4ab;--deviates-ground:#4a1c18;--operator:#f3cd7f;--operator-ground:#3d2f0e;--other:#b6c2d6;--other-ground:#263143}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
.page{max-width:66rem;margin:0 auto;padding:clamp(1rem,4vw,3rem) clamp(.75rem,3vw,2rem)}
.brand{display:flex;align-items:center;gap:.55rem;margin:0 0 2rem;font-weight:600;color:var(--soft)}.brand svg{color:var(--accent);flex:none}
h1{font-size:clamp(1.5rem,5vw,2.1rem);line-height:1.2;letter-spacing:-.02em;margin:0 0 .5rem}
h2{font-size:1.35rem;letter-spacing:-.01em;margin:3rem 0 .25rem}h3{font-size:1.02rem;margin:1.75rem 0 .6rem}
p{margin:.35rem 0 1rem}.soft,.facts dt,.rule .small{color:var(--soft)}a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.1rem;margin:1.25rem 0 1.75rem;font-size:.93rem}.facts dd{margin:0;overflow-wrap:anywhere}
.sum{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.7rem;list-style:none;padding:0;margin:0}
.sum li{padding:.8rem 1rem;border-radius:12px;font-size:.88rem;line-height:1.3}.sum b{display:block;font-size:1.7rem;line-height:1.15;font-variant-numeric:tabular-nums}
.met{background:var(--met-ground);color:var(--met)}.deviates{background:var(--deviates-ground);color:var(--deviates)}
.operator{background:var(--operator-ground);color:var(--operator)}.elsewhere,.absent{background:var(--other-ground);color:var(--other)}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;overflow:hidden}
.rule{display:grid;grid-template-columns:6.5rem minmax(0,1fr) 7.5rem;gap:.2rem 1rem;padding:.95rem 1.1rem;border-top:1px solid var(--line)}
.rule:first-child{border-top:0}.rule>*{min-width:0}
.section{font-variant-numeric:tabular-nums;font-size:.9rem;font-weight:600}.section span{display:block;font-weight:400;color:var(--soft);font-size:.8rem}
.rule p{margin:0 0 .35rem;overflow-wrap:anywhere}.rule .small{font-size:.86rem;margin:0}
.mark{justify-self:end;align-self:start;padding:.12rem .6rem;border-radius:99px;font-size:.8rem;font-weight:600;white-space:nowrap}
code{font:.86em ui-monospace,SFMono-Regular,Menlo,monospace;overflow-wrap:anywhere}
ul.plain{list-style:none;margin:0;padding:0}ul.plain li{padding:.6rem 1.1rem;border-top:1px solid var(--line);overflow-wrap:anywhere}ul.plain li:first-child{border-top:0}
footer{margin-top:3rem;padding-top:1.25rem;border-top:1px solid var(--line);font-size:.88rem;color:var(--soft)}
@media (max-width:40rem){.rule{grid-template-columns:1fr auto}.rule .what{grid-column:1/-1;grid-row:2}.section span{display:inline;margin-left:.5rem}.facts{grid-template-columns:1fr;gap:0}.facts dd{margin:0 0 .5rem}}
@media print{:root{color-scheme:light;--ground:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb}body{font-size:10pt}.page{max-width:none;padding:0}
.rule,.sum li,ul.plain li{break-inside:avoid}h2,h3{break-after:avoid}.card{border-radius:0}.mark,.sum li{border:1px solid currentColor}a{color:inherit}}
`
