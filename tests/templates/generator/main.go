// Writes the expected output of every case under tests/templates, as Go's text/template has it.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "-batch" {
		batch()
		return
	}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".cases") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, []byte(rewritten(string(text))), 0o644)
	})
	if err != nil {
		panic(err)
	}
}

// rewritten replaces what stands under each case.
func rewritten(text string) string {
	head, cases, _ := strings.Cut("\n"+text, "\n=== ")
	var out strings.Builder
	if head = strings.Trim(head, "\n"); head != "" {
		out.WriteString(head + "\n\n")
	}
	for _, body := range strings.Split(cases, "\n=== ") {
		title, body, _ := strings.Cut(body, "\n")
		source, _, _ := strings.Cut("\n"+body, "\n--- ")
		source = strings.Trim(source, "\n")
		context, template := "", source
		for _, word := range strings.Fields(title) {
			if strings.HasPrefix(word, "@") {
				context = word[1:]
			}
		}
		if strings.HasSuffix(title, " %q") {
			unquoted, err := strconv.Unquote(source)
			if err != nil {
				panic(title + ": " + source)
			}
			template = unquoted
		}
		kind, result := run(context, template)
		if !plain(result) {
			kind, result = kind+" %q", strconv.Quote(result)
		}
		fmt.Fprintf(&out, "=== %s\n%s\n--- %s\n%s\n\n", title, source, kind, result)
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// plain tells whether a text can stand in a file as it is.
func plain(text string) bool {
	if !utf8.ValidString(text) || strings.HasSuffix(text, "\n") || strings.HasPrefix(text, "\n") {
		return false
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ") ||
			strings.TrimRight(line, " ") != line {
			return false
		}
	}
	return strings.IndexFunc(text, func(r rune) bool {
		return r != '\n' && !unicode.IsPrint(r)
	}) < 0
}

func run(context, text string) (kind, result string) {
	functions := template.FuncMap{}
	if strings.HasPrefix(context, "docker") {
		functions = docker
	}
	parsed, err := template.New("name").Funcs(functions).Parse(text)
	if err != nil {
		return "parse error", err.Error()
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, contexts(context)); err != nil {
		return "render error", err.Error()
	}
	return "output", out.String()
}

// docker has the functions Docker adds to log tags.
var docker = template.FuncMap{
	"json": func(v any) string {
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(v)
		return strings.TrimSpace(out.String())
	},
	"split": strings.Split,
	"join":  strings.Join,
	"title": strings.Title,
	"lower": strings.ToLower,
	"upper": strings.ToUpper,
	"pad": func(source string, prefix, suffix int) string {
		if source == "" {
			return source
		}
		return strings.Repeat(" ", prefix) + source + strings.Repeat(" ", suffix)
	},
	"truncate": func(source string, length int) string {
		if len(source) < length {
			return source
		}
		return source[:length]
	},
}

// batch renders a JSON array [context, template] a line, for comparing many at once.
func batch() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<26)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		var request []string
		if err := json.Unmarshal(in.Bytes(), &request); err != nil {
			panic(err)
		}
		kind, result := run(request[0], request[1])
		fmt.Fprintf(out, "%s %x\n", strings.ReplaceAll(kind, " ", "-"), result)
	}
}
