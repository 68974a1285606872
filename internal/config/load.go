package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"edrctl/internal/private"
	"edrctl/internal/provision"
)

// fileFacts are a configuration file's facts, and how faults call it.
type fileFacts struct {
	private.Facts
	name string
}

// Path is where Load looks for the file, whether or not there is one.
func Path(env Environment, path string) string {
	path, _ = newVariables(env.Environ).configPath(env, path)
	return path
}

// configPath also reports whether somebody named the file.
func (v variables) configPath(env Environment, path string) (string, bool) {
	if path != "" {
		return absolute(path), true
	}
	if path, ok := v.get(envConfig); ok {
		return absolute(path), true
	}
	dir := env.ConfigDir
	// A relative one is to be ignored, says the base directory specification.
	if xdg, ok := v.get("XDG_CONFIG_HOME"); ok && filepath.IsAbs(xdg) {
		dir = xdg
	}
	if dir == "" {
		return "", false
	}
	return filepath.Join(dir, "edrctl", "config.yaml"), false
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// Load reads the configuration. The path is that of --config; empty for
// $EDRCTL_CONFIG or the default one. All faults are reported in one error,
// which wraps Faults.
func Load(env Environment, vendors []provision.Vendor, path string) (*File, error) {
	f := &File{
		Guards: Guards{MaxDeletes: NoLimit}, env: env, vars: newVariables(env.Environ), catalog: newCatalog(vendors),
		doc: &document{}, scalars: newLayers(), limits: defaultLimits(),
	}
	r := &reader{}
	if err := f.read(r, path); err != nil {
		return nil, err
	}
	values, odd := f.catalog.tenantVariables(f.vars)
	f.addTenants(r, values)
	f.warnVariables(values, odd)
	f.warnInsecure()
	f.addScalars(r)
	if err := r.faults.err(); err != nil {
		return nil, err
	}
	return f, nil
}

// read makes the document of the file, if there is one.
func (f *File) read(r *reader, path string) error {
	var named bool
	f.Path, named = f.vars.configPath(f.env, path)
	if f.Path == "" {
		return nil
	}
	r.name = f.Path
	file, facts, err := private.Open(f.Path)
	switch {
	case private.Missing(err) && !named && !facts.Symlink:
		return nil
	case private.Missing(err):
		return &provision.Error{
			Kind: provision.ErrUsage, Message: "there is no configuration file " + f.Path,
			Hint: "`edrctl config init` writes one",
		}
	case err != nil:
		return usage("read the configuration", err)
	}
	defer func() { _ = file.Close() }()
	f.Found, f.facts = true, &fileFacts{Facts: facts, name: filepath.Base(f.Path)}
	data, err := private.ReadAll(file, maxFile)
	if err != nil {
		return usage("read the configuration", err)
	}
	root := r.parse(data)
	if root == nil {
		return r.faults.err()
	}
	f.doc = r.document(root, f.catalog)
	return nil
}

// addTenants makes the tenants of the file and of the environment alone.
func (f *File) addTenants(r *reader, values map[string]map[string]string) {
	sections := slices.Clone(f.doc.tenants)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		inFile := slices.ContainsFunc(sections, func(s *section) bool { return s.name == name })
		if !inFile && values[name][keyVendor] != "" {
			sections = append(sections, &section{name: name})
		}
	}
	for _, s := range sections {
		if t := f.newTenant(r, s, values[s.name]); t != nil {
			f.tenants = append(f.tenants, t)
		}
	}
}

// addScalars settles what stands beside the tenants.
func (f *File) addScalars(r *reader) {
	f.scalars.setDefault(keySessionCache, SessionFile)
	f.scalars.setDefault(keyOutput, "table")
	f.scalars.setDefault(keyPlaintext, "false")
	for key, v := range f.doc.scalars {
		if key != keyVersion && v.text != "" {
			f.scalars.setFile(key, v.text, f.place(v.line))
		}
	}
	if list := f.doc.defaultTenants; len(list) > 0 {
		f.scalars.setFile(keyDefaultTenants, joined(list), f.place(list[0].line))
	}
	for name, key := range ownVariables() {
		if text, ok := f.vars.get(name); ok && key != "" {
			f.scalars.setEnv(key, text, name)
		}
	}
	for _, key := range []string{keyOutput, keySessionCache, keyDefaultTenants} {
		if text, ok := f.env.Flags[key]; ok {
			f.scalars.setFlag(key, text)
		}
	}
	check := func(key string, values ...string) string {
		text := f.scalars.get(key)
		if !slices.Contains(values, text) {
			r.add(f.scalars.source(key), key, key+" "+notOneOf(text, values))
		}
		return text
	}
	f.SessionCache = check(keySessionCache, SessionFile, SessionOff)
	// Commands have formats of their own, and judge what their flag says.
	if f.Output = f.scalars.get(keyOutput); f.scalars.source(keyOutput) != sourceFlag {
		check(keyOutput, OutputFormats()...)
	}
	check(keyPlaintext, "true", "false")
	f.addDefaultTenants(r)
	for _, login := range f.doc.protected {
		f.Guards.Protected = append(f.Guards.Protected, login.text)
	}
	if n, err := strconv.Atoi(f.scalars.get(keyMaxDeletes)); err == nil {
		f.Guards.MaxDeletes = n
	}
}

func (f *File) addDefaultTenants(r *reader) {
	known := f.Names()
	for _, s := range f.doc.tenants {
		known = append(known, s.name)
	}
	known = distinct(known)
	for name := range strings.SplitSeq(f.scalars.get(keyDefaultTenants), ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !slices.Contains(known, name) {
			r.add(f.scalars.source(keyDefaultTenants), keyDefaultTenants, keyDefaultTenants+": "+unknown("tenant", name, known))
		}
		f.DefaultTenants = append(f.DefaultTenants, name)
	}
	f.DefaultTenants = distinct(f.DefaultTenants)
}

// warnInsecure notes the tenants that trust every certificate.
func (f *File) warnInsecure() {
	for _, t := range f.tenants {
		if t.insecure() {
			f.Warnings = append(f.Warnings, fmt.Sprintf("tenant %s: %s is on: whoever sits between here and %s can read and change everything, credentials too",
				t.Name, keyInsecure, t.Address()))
		}
	}
}

// warnVariables notes the variables that nothing takes: often a name spelt wrongly. One
// that a reference names is taken, whatever it is called.
func (f *File) warnVariables(values map[string]map[string]string, odd []string) {
	for _, name := range odd {
		f.Warnings = append(f.Warnings, name+" is ignored: it ends in no key of a tenant")
	}
	for _, tenant := range slices.Sorted(maps.Keys(values)) {
		i := slices.IndexFunc(f.tenants, func(t *Tenant) bool { return t.Name == tenant })
		for _, key := range slices.Sorted(maps.Keys(values[tenant])) {
			switch {
			case i < 0 && values[tenant][keyVendor] == "":
				f.Warnings = append(f.Warnings, fmt.Sprintf("%s is ignored: there is no tenant %q, and no %s to make it one",
					variable(tenant, key), tenant, variable(tenant, keyVendor)))
			case i >= 0 && !slices.Contains(settingNames(settings(f.tenants[i].Vendor)), key):
				f.Warnings = append(f.Warnings, fmt.Sprintf("%s is ignored: tenant %s is %s, which has no key %s",
					variable(tenant, key), tenant, f.tenants[i].Vendor.Name, key))
			}
		}
	}
	f.Warnings = slices.DeleteFunc(f.Warnings, func(w string) bool {
		name, _, _ := strings.Cut(w, " ")
		return slices.Contains(f.referred, name)
	})
}

// OutputFormats are the values of File.Output.
func OutputFormats() []string {
	return []string{"table", "wide", "json", "jsonl", "yaml", "csv", "name"}
}

// place is a line of the file in a source.
func (f *File) place(line int) string {
	if f.facts == nil {
		return ""
	}
	return f.facts.name + ":" + strconv.Itoa(line)
}

func joined(list []value) string {
	var texts []string
	for _, v := range list {
		texts = append(texts, v.text)
	}
	return strings.Join(texts, ",")
}
