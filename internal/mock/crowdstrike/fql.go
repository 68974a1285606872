package crowdstrike

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// filter tells whether a record, given by the values of its properties, is
// wanted.
type filter func(values func(property string) []string) bool

// parseFilter reads the subset of FQL that is understood here: property:'x',
// property:['x','y'], property:*'*x*', a ! before a value for the opposite,
// comparisons, + for and, a comma for or, and parentheses. Values are quoted,
// except true, false and numbers; a quote cannot be part of a value.
func parseFilter(text string, properties ...string) (filter, error) {
	if text == "" {
		return func(func(string) []string) bool { return true }, nil
	}
	p := &fqlParser{rest: text, properties: properties}
	f := p.either()
	if p.failed || p.rest != "" {
		return nil, refuse(http.StatusBadRequest, "invalid filter='%s' specified", text)
	}
	return f, nil
}

type fqlParser struct {
	rest       string
	properties []string
	failed     bool
}

func (p *fqlParser) eat(token string) bool {
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *fqlParser) fail() filter {
	p.failed = true
	return nil
}

func (p *fqlParser) either() filter {
	list := []filter{p.both()}
	for !p.failed && p.eat(",") {
		list = append(list, p.both())
	}
	return func(v func(string) []string) bool {
		return slices.ContainsFunc(list, func(f filter) bool { return f(v) })
	}
}

func (p *fqlParser) both() filter {
	list := []filter{p.term()}
	for !p.failed && p.eat("+") {
		list = append(list, p.term())
	}
	return func(v func(string) []string) bool {
		return !slices.ContainsFunc(list, func(f filter) bool { return !f(v) })
	}
}

func (p *fqlParser) term() filter {
	if p.eat("(") {
		f := p.either()
		if !p.eat(")") {
			return p.fail()
		}
		return f
	}
	property, rest, found := strings.Cut(p.rest, ":")
	if !found || !slices.Contains(p.properties, property) {
		return p.fail()
	}
	p.rest = rest
	operator := ""
	for _, op := range []string{">=", "<=", ">", "<", "!", "*", "~"} {
		if p.eat(op) {
			operator = op
			break
		}
	}
	operands := p.operands()
	if p.failed {
		return nil
	}
	test := comparison(operator)
	return func(v func(string) []string) bool {
		hit := slices.ContainsFunc(v(property), func(value string) bool {
			return slices.ContainsFunc(operands, func(operand string) bool { return test(value, operand) })
		})
		return hit != (operator == "!")
	}
}

func (p *fqlParser) operands() []string {
	if !p.eat("[") {
		return []string{p.operand()}
	}
	list := []string{p.operand()}
	for !p.failed && p.eat(",") {
		list = append(list, p.operand())
	}
	if !p.eat("]") {
		p.failed = true
	}
	return list
}

func (p *fqlParser) operand() string {
	if p.eat("'") {
		value, rest, found := strings.Cut(p.rest, "'")
		p.rest, p.failed = rest, p.failed || !found
		return value
	}
	end := strings.IndexAny(p.rest, "+,)]")
	if end < 0 {
		end = len(p.rest)
	}
	value := p.rest[:end]
	p.rest = p.rest[end:]
	if value != "true" && value != "false" && !number(value) {
		p.failed = true
	}
	return value
}

// comparison compares without regard to case; times are compared as such.
func comparison(operator string) func(value, operand string) bool {
	switch operator {
	case "*":
		return matchesPattern
	case "~":
		return func(v, o string) bool { return strings.Contains(strings.ToLower(v), strings.ToLower(o)) }
	case ">":
		return func(v, o string) bool { return compare(v, o) > 0 }
	case ">=":
		return func(v, o string) bool { return compare(v, o) >= 0 }
	case "<":
		return func(v, o string) bool { return compare(v, o) < 0 }
	case "<=":
		return func(v, o string) bool { return compare(v, o) <= 0 }
	}
	return strings.EqualFold
}

func matchesPattern(value, pattern string) bool {
	parts := strings.Split(pattern, "*")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	re, err := regexp.Compile("(?is)^" + strings.Join(parts, ".*") + "$")
	return err == nil && re.MatchString(value)
}

func compare(a, b string) int {
	s, errA := time.Parse(time.RFC3339, a)
	t, errB := time.Parse(time.RFC3339, b)
	if errA == nil && errB == nil {
		return s.Compare(t)
	}
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}
