package config

import (
	"strconv"
	"strings"

	"github.com/spf13/viper"
)

// layers are values by key, from the weakest source to the strongest: default,
// file, environment, flag. Secrets never go in.
type layers struct {
	values *viper.Viper
	// sources has the same layers, with what each value comes from.
	sources *viper.Viper
}

// The sources that have no place of their own.
const (
	sourceDefault = "default"
	sourceFlag    = "flag"
)

// lineOf is the line of a source in the file.
func lineOf(source string) (int, bool) {
	line, err := strconv.Atoi(source[strings.LastIndex(source, ":")+1:])
	return line, err == nil
}

func sourceEnv(variable string) string { return "env " + variable }

func newLayers() layers { return layers{values: viper.New(), sources: viper.New()} }

func (l layers) setDefault(key, value string) {
	l.values.SetDefault(key, value)
	l.sources.SetDefault(key, sourceDefault)
}

func (l layers) setFile(key, value, place string) {
	// Neither can fail: the maps are flat.
	_ = l.values.MergeConfigMap(map[string]any{key: value})
	_ = l.sources.MergeConfigMap(map[string]any{key: place})
}

// setEnv gives viper a variable by way of a flag's value: its own way would
// read the process's environment. It cannot fail, as there is a flag.
func (l layers) setEnv(key, value, variable string) {
	_ = l.values.BindFlagValue(key, fixed{key, value})
	_ = l.sources.BindFlagValue(key, fixed{key, sourceEnv(variable)})
}

func (l layers) setFlag(key, value string) {
	l.values.Set(key, value)
	l.sources.Set(key, sourceFlag)
}

func (l layers) get(key string) string { return l.values.GetString(key) }

// source says where the value comes from; empty without one.
func (l layers) source(key string) string { return l.sources.GetString(key) }

// fixed is a flag, as viper knows them, that was given.
type fixed struct{ name, value string }

func (f fixed) HasChanged() bool    { return true }
func (f fixed) Name() string        { return f.name }
func (f fixed) ValueString() string { return f.value }
func (f fixed) ValueType() string   { return "string" }
