// Writes src/template/unicode_tables.rs: what Go's unicode package says of
// characters where Rust's standard library says nothing, or something else.
//
//	cd tests/templates/generator && go run ./unicode >../../../src/template/unicode_tables.rs
package main

import (
	"fmt"
	"strings"
	"unicode"
)

func main() {
	fmt.Println("//! Tables of Go's `unicode` package, written by `tests/templates/generator/unicode`.")
	fmt.Println("//!")
	fmt.Printf("//! Unicode %s; inclusive ranges above ASCII, in order.\n", unicode.Version)
	ranges("PRINT", "Characters `strconv.IsPrint` accepts.", unicode.IsPrint)
	ranges("LETTER", "Characters `unicode.IsLetter` accepts.", unicode.IsLetter)
	ranges("DIGIT", "Characters `unicode.IsDigit` accepts.", unicode.IsDigit)
	mapping("UPPER", "Runs of characters with one upper case: first, last, step, distance.", unicode.ToUpper)
	mapping("LOWER", "Runs of characters with one lower case: first, last, step, distance.", unicode.ToLower)
	mapping("TITLE", "Runs of characters with one title case: first, last, step, distance.", unicode.ToTitle)
}

func ranges(name, doc string, in func(rune) bool) {
	var cells []string
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if !in(r) {
			continue
		}
		first := r
		for r < unicode.MaxRune && in(r+1) {
			r++
		}
		cells = append(cells, fmt.Sprintf("(%#x, %#x)", first, r))
	}
	table(name, doc, "(u32, u32)", cells)
}

func mapping(name, doc string, to func(rune) rune) {
	var cells []string
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		distance := to(r) - r
		if distance == 0 {
			continue
		}
		first, step := r, rune(1)
		if to(r+1)-r-1 != distance && to(r+2)-r-2 == distance {
			step = 2
		}
		for to(r+step)-r-step == distance && (step == 1 || to(r+1)-r-1 != distance) {
			r += step
		}
		cells = append(cells, fmt.Sprintf("(%#x, %#x, %d, %d)", first, r, step, distance))
		if step == 2 {
			// What lies between the steps has its own mapping, or none.
			for between := first + 1; between < r; between += 2 {
				if to(between) != between {
					panic("a mapping within a stepped run")
				}
			}
		}
	}
	table(name, doc, "(u32, u32, u32, i32)", cells)
}

func table(name, doc, kind string, cells []string) {
	fmt.Printf("\n/// %s\n#[rustfmt::skip]\npub const %s: &[%s] = &[\n", doc, name, kind)
	line := "   "
	for _, cell := range cells {
		if len(line)+len(cell) > 110 {
			fmt.Println(line)
			line = "   "
		}
		line += " " + cell + ","
	}
	fmt.Println(line)
	fmt.Println(strings.TrimSpace("];"))
}
