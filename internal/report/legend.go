package report

import (
	"slices"
	"strings"

	"edrctl/internal/provision"
	"edrctl/internal/render"
)

// mark is a mark in words. Marks are in the order of what to look at first.
type mark struct{ name, meaning string }

func (p Page) marks() []mark {
	var all []mark
	if p.Against != "" {
		all = []mark{
			{render.MarkOrphan, "in a console, and not in " + p.Against},
			{render.MarkMissing, "in " + p.Against + ", and in no console"},
		}
	}
	return append(all,
		mark{render.MarkAdmin, "holds a built-in role of administrators; roles of your own are not judged"},
		mark{render.MarkInvited, "has yet to take up an invitation"},
		mark{render.MarkNever, "has not signed in, to any console that tells"},
		mark{render.MarkPartial, "in one console, and not in another"},
		mark{render.MarkUnlike, "has roles of different kinds in different consoles, by the role aliases of the configuration"},
		mark{render.MarkGroup, "has a role through a group or the like"},
	)
}

// legend explains marks and statuses. With script, its boxes filter the table.
func (p Page) legend(w *writer) {
	counts := map[string]int{}
	for _, person := range p.People {
		for _, m := range person.Marks {
			counts[m]++
		}
	}
	w.add("<section class=\"legend\" aria-labelledby=\"legend\">\n<h2 id=\"legend\">Legend</h2>\n<fieldset>\n<legend>Marks</legend>\n")
	w.add("<p class=\"js\">Tick marks to see only people who have one of them.</p>\n<ul class=\"marks\">\n")
	for _, m := range p.marks() {
		w.add(`<li><label><input class="js" type="checkbox" value="%s"><span class="m %s">%s</span> <b>%d</b> `, m.name, m.name, m.name, counts[m.name])
		w.add("<span class=\"means\">%s</span></label></li>\n", m.meaning)
	}
	w.add("</ul>\n</fieldset>\n<dl class=\"statuses\">\n")
	for _, s := range []struct {
		status  provision.Status
		meaning string
	}{
		{provision.StatusActive, "can sign in"},
		{provision.StatusDisabled, "cannot sign in until somebody allows it again"},
		{provision.StatusLocked, "cannot sign in for now, as after wrong passwords"},
		{provision.StatusInvited, "has access once the invitation is taken up"},
		{provision.StatusUnknown, "has an account; the vendor does not tell whether it can be used"},
	} {
		w.add("<div><dt>%s</dt><dd>%s</dd></div>\n", statusTag(s.status), s.meaning)
	}
	w.add("<div><dt class=\"star\"></dt><dd>a built-in role of administrators</dd></div>\n</dl>\n")
	if silent := p.silent(); silent != "" {
		w.add("<p>When somebody signed in last is not told by %s.</p>\n", silent)
	}
	w.add("</section>\n")
}

// statusTag is a status in one word.
func statusTag(s provision.Status) markup {
	switch s {
	case provision.StatusActive, provision.StatusDisabled, provision.StatusLocked, provision.StatusInvited:
		return markup(`<span class="s ` + s + `">` + s + `</span>`)
	default:
		return `<span class="s">account</span>`
	}
}

// silent are the vendors that do not tell when somebody signed in last.
func (p Page) silent() string {
	var titles []string
	for _, c := range p.Consoles {
		if c.Err == nil && !c.Vendor.LastLogins && !slices.Contains(titles, c.Vendor.Title) {
			titles = append(titles, c.Vendor.Title)
		}
	}
	return strings.Join(titles, " and ")
}

// filters are of no use without script, and not seen without it.
func (p Page) filters(w *writer) {
	w.add("<div class=\"filters js\" role=\"search\" aria-label=\"People\">\n")
	w.add("<label>Find <input id=\"find\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"login, name, role, status\"></label>\n")
	w.add("<label>Account <select id=\"console\"><option value=\"\">anywhere or nowhere</option>")
	for i, c := range p.Consoles {
		if column := before + i; c.Err == nil {
			w.add("<option value=\"%d\">in %s</option><option value=\"%d\">not in %s</option>", column, c.Tenant, -column, c.Tenant)
		}
	}
	w.add("</select></label>\n<button id=\"clear\" type=\"button\">Show everybody</button>\n")
	if p.many() {
		w.add("<label><input id=\"whole\" type=\"checkbox\"> Lay out every row at once: slow, and what screen readers need to read on</label>\n")
	}
	w.add("</div>\n")
	w.add("<p id=\"shown\" role=\"status\">%d of %d people</p>\n", len(p.People), len(p.People))
}
