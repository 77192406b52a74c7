package page

import "strings"

// palette is the colours of one scheme. Text is read on paper and on wash, so
// each has a contrast of 4.5 to both; what is drawn has 3 to what it is on.
type palette map[string]string

var light = palette{
	"paper": "#ffffff", "wash": "#f3f5f8", "ink": "#1a2027", "soft": "#525c68", "rule": "#d3d9e0",
	"share": "#1f5f9e", "band": "#cde4d4", "edge": "#3c7d55",
	"within": "#1b6b3a", "below": "#994400", "above": "#86286c", "unreachable": "#525c68",
}

var dark = palette{
	"paper": "#12161b", "wash": "#1b2129", "ink": "#e8edf2", "soft": "#a6b0bc", "rule": "#37414d",
	"share": "#7bbcff", "band": "#21452f", "edge": "#6cb387",
	"within": "#71d394", "below": "#f5ab66", "above": "#f0a0d8", "unreachable": "#a6b0bc",
}

// names are the colours in the order in which the page defines them.
var names = []string{"paper", "wash", "ink", "soft", "rule", "share", "band", "edge", "within", "below", "above", "unreachable"}

func (p palette) css() string {
	var out strings.Builder
	for _, name := range names {
		out.WriteString("--" + name + ":" + p[name] + ";")
	}
	return out.String()
}

// style is the page's own. The dark scheme is for screens alone: paper is
// light.
func style() string {
	return ":root{color-scheme:light;" + light.css() + "}\n@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;" + dark.css() + "}}\n" + rules
}

const rules = `*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:68rem;padding:2rem 1.5rem 3rem;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;-webkit-print-color-adjust:exact;print-color-adjust:exact}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;line-height:1.3;margin:0 0 .75rem}
p{margin:0 0 .75rem;max-width:48rem}
section{margin-top:2.5rem}
.path{margin-bottom:.5rem;color:var(--soft);overflow-wrap:anywhere}
.soft{color:var(--soft)}
.soft,caption,.legend,figcaption,td,th,summary{font-size:.9rem}
.lead{font-size:1.2rem;line-height:1.45;margin:1.5rem 0 0}
.note{border-inline-start:.25rem solid var(--edge);padding-inline-start:.75rem}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.defs{position:absolute}
footer{margin-top:2.5rem;border-top:1px solid var(--rule);padding-top:1rem;color:var(--soft);font-size:.9rem}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:0 0 .75rem;padding:0;color:var(--soft)}
.legend li{display:flex;align-items:center;gap:.4rem}
.swatch{display:inline-block;width:1.5rem;height:.6rem;background:var(--share)}
.swatch.band{height:1rem;background:var(--band);border:solid var(--edge);border-width:0 1.5px}
.m{width:.9rem;height:.9rem;flex:none;fill:currentColor;stroke:none}
.m.within{color:var(--within);fill:none;stroke:currentColor;stroke-width:2.5}
.m.below{color:var(--below)}
.m.above{color:var(--above)}
.m.unreachable{color:var(--unreachable);fill:none;stroke:currentColor;stroke-width:2.5}
.v,.c{display:inline-flex;align-items:center;gap:.35rem;white-space:nowrap;color:var(--soft)}
.within{color:var(--within)}.below{color:var(--below)}.above{color:var(--above)}.unreachable{color:var(--unreachable)}
.row{display:grid;grid-template-columns:11.5rem minmax(0,1fr) 11.5rem;gap:0 1rem;align-items:center;padding:.4rem 0}
.row>svg{width:100%;height:1.75rem;display:block}
.who,.what{display:flex;flex-direction:column;line-height:1.35;min-width:0}
.axis{padding:0;color:var(--soft);font-size:.8rem}
.ticks{display:flex;justify-content:space-between;font-variant-numeric:tabular-nums}
.ticks span{width:0;display:flex;justify-content:center}
.track{fill:var(--wash)}.grid{stroke:var(--rule)}.band{fill:var(--band)}.share{fill:var(--share)}
.edge{stroke:var(--edge);stroke-width:1.5}
.row line,.panels line{vector-effect:non-scaling-stroke}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(14.5rem,1fr));gap:1.25rem 1.5rem}
figure{margin:0;break-inside:avoid}
figure svg{width:100%;height:auto;display:block}
figure text{font-size:13px;fill:var(--soft);font-variant-numeric:tabular-nums}
figcaption{display:flex;flex-wrap:wrap;gap:0 .6rem;align-items:center;line-height:1.4}
figcaption strong{flex-basis:100%}
.trend{fill:none;stroke:var(--share);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.now{fill:var(--share);stroke:var(--paper);stroke-width:1.5}
details{margin-top:1rem}
summary{cursor:pointer}
.wide{overflow-x:auto;margin-top:1rem}
.wide+.soft{margin-top:.75rem}
.wide:focus-visible,summary:focus-visible{outline:2px solid var(--share);outline-offset:2px}
table{border-collapse:separate;border-spacing:0;width:100%;font-variant-numeric:tabular-nums}
table.compact{width:auto}
caption{text-align:start;color:var(--soft);padding-bottom:.5rem}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--rule);text-align:start;vertical-align:top;line-height:1.375rem}
th:first-child,td:first-child{padding-inline-start:0}
thead th{vertical-align:bottom;border-bottom:2px solid var(--rule);font-weight:600}
tbody th{font-weight:400}
.n{text-align:end;white-space:nowrap}
thead .n{white-space:normal}
.engagement thead th:nth-child(n+3){text-align:start}
.engagement td:nth-child(n+3),.engagement th:nth-child(n+3){padding-inline-start:1.2rem}
.engagement tbody tr:last-child>*{font-weight:600;border-bottom:0}
.taken{display:grid;grid-template-columns:minmax(2.5rem,1fr) 2.5rem 3.5rem auto;gap:.5rem;align-items:center}
.engagement tbody th{white-space:nowrap}
.mini{width:100%;height:.5rem;display:block}
.change{min-width:2.2rem}
.whole th,.whole td{font-weight:600;background:var(--wash)}
.places th:first-child{width:26%;min-width:11rem;max-width:22rem;overflow-wrap:anywhere;padding-inline-start:calc((var(--d,0)*1.1rem) + .25rem)}
.places .c{justify-content:flex-start;min-width:2.4rem;margin-inline-start:.4rem;gap:.15rem;font-size:.9em;height:1lh;vertical-align:top}
@media screen and (max-width:44rem){
body{padding:1.25rem 1rem 2rem}
h1{font-size:1.5rem}.lead{font-size:1.1rem}
.row{grid-template-columns:minmax(0,1fr) auto;gap:.3rem .75rem;padding:.6rem 0}
.row>svg,.axis .ticks{grid-column:1/-1;grid-row:2}
.axis .who,.axis .what{display:none}
.axis .ticks{grid-row:1}
.what{text-align:end;align-items:flex-end}
.places th:first-child{min-width:9rem;max-width:9.5rem;padding-inline-start:calc(var(--d,0)*.5rem)}
.compact :is(th,td):not(:first-child){padding-inline:.3rem}
.compact .v{white-space:normal}
.compact tr>:last-child{min-width:5.2rem}
.engagement tbody th{white-space:normal}
.taken{grid-template-columns:2.5rem 2rem 3.25rem auto}
}
@media screen{
.wide tr>:first-child{position:sticky;inset-inline-start:0;background:var(--paper)}
.wide .whole>:first-child{background:var(--wash)}
}
@media print{
@page{margin:14mm}
body{max-width:none;padding:0;font-size:10pt}
.wide{overflow:visible}
h2,caption,.legend{break-after:avoid}
#shares,#history,#engagement{break-inside:avoid}
#locations{break-before:page}
details:not([open]){display:none}
.row,tr,figure{break-inside:avoid}
thead{display:table-header-group}
th,td{padding:.2rem .3rem}
td,th,.soft,caption,.legend,footer{font-size:8.5pt}
td,th{line-height:1.45}
}
`
