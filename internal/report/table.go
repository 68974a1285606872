package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"edrctl/internal/provision"
	"edrctl/internal/render"
)

// before is how many columns stand before those of the consoles.
const before = 2

// many is from how many people on the rows are laid out each on its own, as they
// come into sight: a table of thousands takes a browser seconds, again and again.
// What is not laid out is not read by screen readers either, so that a box brings
// it back, and so does a filter that leaves few.
const many = 1000

func (p Page) many() bool { return p.apart || len(p.People) >= many }

// columns are the widths for rows that are laid out on their own.
func (p Page) columns() string {
	if !p.many() {
		return ""
	}
	return fmt.Sprintf(":root { --columns: minmax(17rem, 17fr) minmax(8rem, 8fr) %sminmax(7.5rem, 7.5fr); --least: %grem; }\n",
		strings.Repeat("minmax(11.5rem, 11.5fr) ", len(p.Consoles)), 32.5+11.5*float64(len(p.Consoles)))
}

// table is the matrix: a row for each person, a column for each console.
func (p Page) table(w *writer) {
	var classes []string
	if len(p.Consoles) > 5 {
		classes = append(classes, "wide")
	}
	if p.many() {
		classes = append(classes, "many")
	}
	w.add("<main>\n<table id=\"people\" tabindex=\"-1\" class=\"%s\">\n<caption>People, and what they have in each console. "+
		"<span class=\"js\">The buttons in the headers sort.</span></caption>\n", strings.Join(classes, " "))
	w.add("<colgroup><col class=\"person\"><col class=\"marks\">%s<col class=\"last\"></colgroup>\n",
		markup(strings.Repeat("<col>", len(p.Consoles))))
	w.add("<thead>\n<tr>\n")
	sortable := func(order, first, title, below string) {
		w.add(`<th scope="col" aria-sort="%s" data-first="%s"><button type="button">%s</button>`, order, first, title)
		if below != "" {
			w.add("<small>%s</small>", below)
		}
		w.add("</th>\n")
	}
	sortable("ascending", "ascending", "Person", "")
	sortable("none", "descending", "Marks", "")
	for _, c := range p.Consoles {
		below := c.Vendor.Title
		if c.Err != nil {
			below += ", not read"
		}
		sortable("none", "ascending", c.Tenant, below)
	}
	sortable("none", "ascending", "Signed in", "last, anywhere")
	w.add("</tr>\n</thead>\n<tbody>\n")
	for _, person := range p.People {
		p.row(w, person)
	}
	w.add("</tbody>\n</table>\n</main>\n")
}

func (p Page) row(w *writer, person render.ReviewItem) {
	name, _, _ := strings.Cut(person.Login, "@") // which is where a long one had best be broken
	w.add("<tr><th scope=\"row\"><bdi>%s<wbr>%s</bdi>", name, strings.TrimPrefix(person.Login, name))
	if names := p.names(person); names != "" {
		w.add("<small><bdi>%s</bdi></small>", names)
	}
	w.add("</th>")
	p.markCell(w, person.Marks)
	for _, c := range p.Consoles {
		at, there := person.Tenants[c.Tenant]
		switch {
		case c.Err != nil:
			w.add("<td class=\"none unread\">not read</td>")
		case !there:
			w.add("<td class=\"none\">no account</td>")
		default:
			cell(w, c.Vendor, at)
		}
	}
	p.lastCell(w, person)
	w.add("</tr>\n")
}

// names are what the consoles call a person, in their order.
func (p Page) names(person render.ReviewItem) string {
	var names []string
	for _, c := range p.Consoles {
		if name := person.Tenants[c.Tenant].Name; name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " / ")
}

// markCell sorts by what to look at first.
func (p Page) markCell(w *writer, marks []string) {
	all := p.marks()
	weight := 0
	for i, m := range all {
		if slices.Contains(marks, m.name) {
			weight |= 1 << (len(all) - 1 - i)
		}
	}
	w.add(`<td data-key="%d">`, weight)
	for i, m := range marks {
		if i > 0 {
			w.add(" ")
		}
		w.add(`<span class="m %s">%s</span>`, m, m)
	}
	w.add("</td>")
}

// cell is what a person has in a console.
func cell(w *writer, v *provision.Vendor, at render.ReviewTenant) {
	w.add("<td>%s", statusTag(at.Status))
	if len(at.Roles) == 0 && at.Status != provision.StatusInvited {
		w.add(" <small>no roles</small>")
	}
	if len(at.Roles) > 0 {
		w.add("<ul>")
		for _, r := range at.Roles {
			role(w, v, r)
		}
		w.add("</ul>")
	}
	switch {
	case at.LastLogin != nil:
		w.add("<small>last sign-in %s</small>", day(*at.LastLogin))
	case v.LastLogins:
		w.add("<small>never signed in</small>")
	}
	w.add("</td>")
}

func role(w *writer, v *provision.Vendor, r provision.HeldRole) {
	class := ""
	if v.Administers(r) {
		class = ` class="admin"`
	}
	w.add("<li%s>%s", markup(class), cmp.Or(r.Name, r.ID))
	switch {
	case r.Via != "":
		w.add(" <small>via <bdi>%s</bdi></small>", r.Via)
	case !r.Direct:
		w.add(" <small>inherited</small>")
	}
	if r.ExpiresAt != nil {
		w.add(" <small class=\"end\">until %s</small>", day(*r.ExpiresAt))
	}
	w.add("</li>")
}

// lastCell is the last sign-in to any console, as far as vendors tell.
func (p Page) lastCell(w *writer, person render.ReviewItem) {
	var last time.Time
	told := false
	for _, c := range p.Consoles {
		at, there := person.Tenants[c.Tenant]
		told = told || there && c.Vendor.LastLogins
		if at.LastLogin != nil && at.LastLogin.After(last) {
			last = *at.LastLogin
		}
	}
	switch {
	case !last.IsZero():
		w.add(`<td data-key="%s">%s</td>`, exact(last), day(last))
	case told:
		w.add(`<td data-key="0">never</td>`)
	case len(person.Tenants) > 0:
		w.add(`<td class="none">not told</td>`)
	default:
		w.add(`<td class="none">no account</td>`)
	}
}

// day is a date in UTC.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
