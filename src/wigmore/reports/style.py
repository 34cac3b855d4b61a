"""The style sheets of the report: print, light and dark, narrow and wide; system fonts only. `PAPER` is for A4 pages."""

import re

CSS = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--quiet:#5b6470;--line:#d7dce2;--soft:#f4f6f8;--link:#0b57a4;
--fact:#1f6f5c;--interp:#7a4fb0;--caveat:#a3600b;--opinion:#0b57a4;--good:#1f6f5c;--bad:#b3261e;--warn:#a3600b;
--for:#2a7de1;--for2:#0b4f9e;--against:#e08a3c;--against2:#b3470e}
@media (prefers-color-scheme:dark){:root{--paper:#14171b;--ink:#e4e7eb;--quiet:#9aa4b0;--line:#333a43;--soft:#1c2127;
--link:#7fb6f5;--fact:#63c2a8;--interp:#bf9bf0;--caveat:#e3a550;--opinion:#7fb6f5;--good:#63c2a8;--bad:#f2837b;
--warn:#e3a550;--for:#4d97ea;--for2:#9cc8fb;--against:#c9772f;--against2:#f5ab6c}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",
"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
a{color:var(--link);text-decoration-thickness:1px;text-underline-offset:2px}
.page{display:grid;grid-template-columns:15rem minmax(0,1fr);gap:2.5rem;max-width:88rem;margin:0 auto;
padding:0 1.5rem}
nav{position:sticky;top:0;align-self:start;max-height:100vh;overflow:auto;padding:1.6rem 0;font-size:.86rem}
nav ol{list-style:none;margin:0;padding:0}nav li{margin:.1rem 0}
nav a{display:block;padding:.2rem .5rem;border-radius:4px;text-decoration:none;color:var(--quiet)}
nav a:hover{background:var(--soft);color:var(--ink)}
main{padding:1.6rem 0 5rem;min-width:0}
h1{font-size:1.9rem;line-height:1.2;margin:.2rem 0 .6rem;letter-spacing:-.01em}
h2{font-size:1.35rem;line-height:1.25;margin:3.2rem 0 .8rem;padding-top:.9rem;border-top:2px solid var(--ink)}
h3{font-size:1.08rem;margin:1.9rem 0 .5rem}h4{font-size:1rem;margin:0 0 .35rem;line-height:1.35}
p{margin:.5rem 0;max-width:48rem}ul,ol{max-width:48rem}li{margin:.2rem 0}
.eyebrow{text-transform:uppercase;letter-spacing:.09em;font-size:.74rem;font-weight:600;color:var(--quiet);margin:0}
.quiet,small,.meta{color:var(--quiet)}.meta,small{font-size:.84rem}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;
font-size:.83em}
code{background:var(--soft);padding:.08em .32em;border-radius:3px;white-space:pre-wrap}
pre{background:var(--soft);border:1px solid var(--line);border-radius:5px;padding:.7rem .9rem;white-space:pre-wrap;
font-size:.84rem;
max-width:100%;margin:.6rem 0}pre code{background:none;padding:0;font-size:1em}
.scroll{overflow-x:auto;margin:.7rem 0}
table{border-collapse:collapse;width:100%;font-size:.88rem;line-height:1.42}
caption{text-align:left;color:var(--quiet);padding-bottom:.3rem}
th,td{text-align:left;vertical-align:top;padding:.36rem .6rem .36rem 0;border-bottom:1px solid var(--line)}
th:last-child,td:last-child{padding-right:0}thead th{font-size:.76rem;font-weight:600;color:var(--quiet);
border-bottom:1px solid var(--quiet);white-space:nowrap;overflow-wrap:normal}
td{min-width:3.5rem}td .w{white-space:nowrap}td time{white-space:nowrap}
table.counts td:not(:first-child),table.counts th:not(:first-child){text-align:right}
dl.pairs{display:grid;grid-template-columns:minmax(7rem,13rem) minmax(0,1fr);gap:.22rem 1.1rem;margin:.6rem 0;
font-size:.9rem}
dl.pairs dt{color:var(--quiet)}dl.pairs dd{margin:0}
dl.tools{columns:15rem;column-gap:1.6rem;margin:.6rem 0;font-size:.86rem}dl.tools dt{color:var(--quiet);float:left;
clear:left;margin-right:.5rem}dl.tools dd{margin:0;break-inside:avoid}
table.asked th:nth-child(2){width:22%}table.asked th:nth-child(3){width:40%}
ul.receipt{margin:0;padding:0;list-style:none;font-size:.95em}ul.receipt li{margin:0 0 .15rem}
table.beside th{width:50%}.own{border-bottom:2px dotted var(--warn)}
details{margin:.5rem 0}summary{cursor:pointer;font-size:.88rem;color:var(--link);padding:.15rem 0}
details[open]>summary{margin-bottom:.35rem}
.box{border:1px solid var(--line);border-left:4px solid var(--warn);border-radius:5px;padding:.7rem 1rem;
margin:1rem 0;background:var(--soft)}
.box p:first-child{margin-top:0}.box p:last-child,.box ul:last-child{margin-bottom:0}
.box.calm{border-left-color:var(--link)}
.strength{display:inline-block;border:1.5px solid currentColor;border-radius:3px;padding:.02rem .45rem;
font-size:.8rem;font-weight:600;
white-space:nowrap}.s-concluded{color:var(--good)}.s-contested,.s-not_tested{color:var(--warn)}
.s-refuted{color:var(--bad)}.s-open{color:var(--quiet)}
.finding{border:1px solid var(--line);border-radius:7px;margin:1.5rem 0;padding:1.1rem 1.2rem .6rem}
.finding>h3{margin:0 0 .3rem;font-size:1.15rem}
.part{border-left:4px solid var(--line);padding:.1rem 0 .1rem .9rem;margin:.9rem 0}
.part>.label{display:block;text-transform:uppercase;letter-spacing:.07em;font-size:.72rem;font-weight:700;
margin-bottom:.2rem}
.part p:last-child{margin-bottom:.1rem}.part.f{border-color:var(--fact)}.f>.label{color:var(--fact)}
.part.i{border-color:var(--interp);border-left-style:dashed}.i>.label{color:var(--interp)}
.part.c{border-color:var(--caveat);border-left-style:dotted}.c>.label{color:var(--caveat)}
.part.o{border-color:var(--opinion);border-left-style:double}.o>.label{color:var(--opinion)}
.obs{border-top:1px solid var(--line);padding:.9rem 0 .5rem;margin:0}.obs .part{margin:.45rem 0}
.obs:target,tr:target,section:target>h3,.finding:target{background:color-mix(in srgb,var(--link) 9%,transparent)}
table.kv{width:auto;max-width:100%}table.kv th{font-weight:500;color:var(--quiet);white-space:nowrap;
padding-right:1.2rem;overflow-wrap:normal}
table.kv th,table.kv td{border-bottom:1px dotted var(--line);padding-top:.16rem;padding-bottom:.16rem}
table.kv td{white-space:pre-wrap}
.state{font-size:.72rem;border:1px solid var(--warn);color:var(--warn);border-radius:3px;padding:0 .3rem;
margin-left:.4rem;white-space:nowrap}
abbr{text-decoration:none;color:var(--quiet);font-size:.86em}abbr.local{color:var(--warn)}
.more{font-size:.86rem;color:var(--quiet);border-left:3px solid var(--line);padding-left:.6rem}
.bad{color:var(--bad);font-weight:600}.good{color:var(--good);font-weight:600}
svg{display:block;max-width:100%;height:auto;margin:.6rem 0}
svg text{fill:var(--ink);font-family:inherit;font-size:12px}svg .q{fill:var(--quiet)}
svg .rule{stroke:var(--line);stroke-width:1}
svg .axis{stroke:var(--quiet);stroke-width:1}svg .bar{fill:var(--for)}svg .node{fill:var(--soft);stroke:var(--quiet)}
svg .tie{stroke:var(--quiet);stroke-width:1.2;fill:none}svg .same{stroke-dasharray:5 4;stroke:var(--interp)}
svg .e-direct_evidence{fill:var(--for2)}svg .e-supports,svg .e-consequence_observed{fill:var(--for)}
svg .e-prerequisite_met{fill:var(--for);opacity:.45}svg .e-weakens{fill:var(--against)}
svg .e-contradicts{fill:var(--against2)}
svg .e-consistent_with{fill:none;stroke:var(--quiet)}svg text.sign{fill:var(--paper);font-weight:700;
text-anchor:middle}
svg text.sign.dark{fill:var(--ink)}
figure{margin:1rem 0}figcaption{color:var(--quiet);font-size:.85rem;max-width:48rem}
footer{margin-top:4rem;border-top:1px solid var(--line);padding-top:.8rem;color:var(--quiet);font-size:.84rem}
@media (max-width:64rem){.page{display:block;padding:0 1rem}nav{position:static;max-height:none;padding:1rem 0 0}
nav ol{display:flex;flex-wrap:wrap}dl.pairs{grid-template-columns:1fr;gap:0}dl.pairs dd{margin-bottom:.4rem}
main{padding-top:.6rem}h1{font-size:1.5rem}.scroll>table:not(.kv):not(.counts){min-width:40rem}}
@media print{:root{color-scheme:light}body{font-size:10pt}nav{display:none}
.page{display:block;max-width:none;padding:0}
.scroll{overflow:visible}h2,h3,h4{break-after:avoid}.obs,tr,figure{break-inside:avoid}
a{color:inherit;text-decoration:none}
details::details-content{content-visibility:visible;block-size:auto}@page{margin:18mm 16mm}}
"""

# Tables have fixed columns: nothing is cut off, and a page is laid out in half the time. A list of names and values runs
# on as text: grids and floats cost more than all the rest of a page.
PAPER = """
html{font-size:9pt}
body{font:9pt/1.4 "Liberation Sans","DejaVu Sans",sans-serif;overflow-wrap:break-word;
font-variant-numeric:normal}
code,.mono,pre{font-family:"Liberation Mono","DejaVu Sans Mono",monospace}code{padding:0 .15em}
header{break-after:page;padding-top:35mm}h1{font-size:24pt;margin:4mm 0 10mm}
nav{display:block;break-after:page;position:static;max-height:none;overflow:visible;padding:0;font-size:9.5pt}
nav::before{content:"Contents";display:block;font-size:15pt;font-weight:700;margin-bottom:5mm}
nav ol{max-width:none}nav a{padding:.6mm 0;color:var(--ink)}
nav a::after{content:leader(". ") target-counter(attr(href),page);color:var(--quiet)}
main{padding:0}p,ul,ol{max-width:none}h2{margin:0 0 3mm;padding-top:3mm;font-size:14pt;bookmark-level:1}
section{margin-top:8mm}main>section:first-child{margin-top:0}
h3{font-size:11pt;bookmark-level:2}h4{font-size:9.5pt;bookmark-level:none}.finding>h3{font-size:11.5pt}
a{color:var(--link)}
table{table-layout:fixed;width:100%;font-size:8pt}th,td{padding:1mm 2mm 1mm 0}td{min-width:0}
thead th{white-space:normal;font-size:7.5pt}td .w,td time,table.kv th,.strength{white-space:normal}
.strength{font-size:7.5pt;padding:0 1mm}svg{max-height:195mm}
table.kv{width:100%}table.kv th{width:28%}
dl.pairs{display:block;font-size:8.5pt}dl.pairs dt,dl.pairs dd{display:inline}
dl.pairs dt::after{content:":\\A0"}dl.pairs dd::after{content:"\\A";white-space:pre}
.obs dl.pairs dt::after{content:none}.obs dl.pairs dd::after{content:" ";white-space:normal}
.obs dl.pairs dt{margin-right:1mm;font-weight:600}
.obs dl.pairs dd{margin-right:3mm}
header dl.pairs{font-size:10pt;line-height:1.9}
summary{color:var(--quiet);font-size:8pt;break-after:avoid}.obs,.finding,figure{break-inside:auto}
.obs h4,.finding>h3+*,.part>.label,.obs .meta:first-of-type{break-after:avoid}
.part.f>table,.part .scroll{margin:1mm 0}
.part.f th:nth-child(1){width:22%}.part.f th:nth-child(2){width:44%}
table.kv th:nth-child(1){width:28%}
.part.a th:nth-child(1){width:28%}.part.a th:nth-child(2){width:40%}
.part.t th:nth-child(5){width:36%}
#s-summary th:nth-child(1):nth-last-child(3),#s-sheet th:nth-child(1){width:8%}
#s-summary th:nth-child(3):nth-last-child(1){width:52%}
#s-summary th:nth-child(1):nth-last-child(4),#s-summary th:nth-child(4){width:36%}
#s-method th:nth-child(1){width:18%}
dl.tools{columns:3;font-size:8.5pt}dl.tools dt::after{content:none}
#s-summary table.asked th:nth-child(1){width:6%}#s-summary table.asked th:nth-child(2){width:20%}
#s-summary table.asked th:nth-child(3){width:38%}#s-summary table.asked th:nth-child(4){width:11%}
table.ids th:nth-child(1){width:7%}table.rules th:nth-child(1){width:42%}table.rules th:nth-child(3){width:12%}
table.joins th:nth-child(1){width:14%}table.contacts th:nth-child(3){width:9%}table.contacts th:nth-child(6){width:32%}
#s-standing th:nth-child(2){width:32%}#s-reviews th:nth-child(4){width:48%}#s-reviews th:nth-child(2){width:12%}
#s-reviews table.beside th{width:50%}
#s-items th:nth-child(2){width:10%}#s-items th:nth-child(5){width:32%}
#s-sheet th:nth-child(2){width:27%}#s-sheet th:nth-child(3){width:11%}
#s-timeline th:nth-child(1){width:22%}#s-timeline th:nth-child(4){width:44%}
#s-coverage th:nth-child(1){width:20%}#s-coverage th:nth-child(3):nth-last-child(2){width:13%}
table.counts th:nth-child(1){width:34%}
#s-negative th:nth-child(5),#s-rounds th:nth-child(6),#s-rounds th:nth-child(3):nth-last-child(3){width:36%}
#s-audit th:nth-child(1){width:11%}#s-audit th:nth-child(3){width:42%}
#s-bearings th:nth-child(1){width:48%}#s-scores th:nth-child(1){width:38%}
#s-calls th:nth-child(5){width:24%}#s-calls th:nth-child(6){width:28%}
#s-calls th:nth-child(1){width:15%}
@page{size:A4;margin:17mm 16mm 20mm}
"""


def _light() -> dict[str, str]:
    """The colours by name, those for a light page."""
    return dict(re.findall(r"--(\w+):([^;}]+)", CSS[CSS.index(":root{") : CSS.index("@media")]))


def pictures() -> str:
    """The rules for pictures alone with their colours written out, for readers that style a picture by itself."""
    rules = "".join(re.findall(r"svg [^{}]*\{[^{}]*\}", CSS.replace("\n", "")))
    return re.sub(r"var\(--(\w+)\)", lambda m: _light()[m[1]], rules.replace("inherit", "Liberation Sans"))
