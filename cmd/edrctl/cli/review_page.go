package cli

import (
	"edrctl/internal/provision/plan"
	"edrctl/internal/render"
	htmlreport "edrctl/internal/report"
)

// writePage writes a review as a page of HTML.
func (a *app) writePage(targets []plan.Target, answers []answer, in inspection, items []render.ReviewItem, opts reviewOptions) error {
	stamp := a.stamp()
	page := htmlreport.Page{
		Made: a.Now(), By: stamp.OSUser + " on " + stamp.Host, Version: stamp.Version,
		Against: opts.against, Listed: len(in.listed), People: items, Clean: a.redactor.String,
	}
	for i, t := range targets {
		page.Consoles = append(page.Consoles, htmlreport.Console{
			Tenant: t.Tenant, Vendor: t.Vendor, Err: render.ErrorOf(answers[i].err),
		})
	}
	return htmlreport.Write(a.Out, page)
}
