package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"templates/cloudwatch"
	"templates/logger"
)

// contexts are what cases render with, by the name a case gives; the Rust tests have the same.
func contexts(name string) any {
	switch name {
	case "docker":
		return &logger.Info{
			Config:              map[string]string{"tag": "{{.Name}}", "labels": "com.example.team", "env": "STAGE"},
			ContainerID:         "a7317399f3f857173c6179d44823594f8294678dea9999662e5c625b5a1c7657",
			ContainerName:       "/web-1",
			ContainerEntrypoint: "/bin/server",
			ContainerArgs:       []string{"--port", "80", "<a&b>"},
			ContainerImageID:    "sha256:d46e8a44f1d7b2a8dd3a2ee5ebb83ae04ae1c94b3b3c2a1d3bc1d1a1f3f1a6b0",
			ContainerImageName:  "registry.example.com:5000/team/web:1.2.3",
			ContainerCreated:    created,
			ContainerEnv:        []string{"PATH=/usr/bin:/bin", "STAGE=prod", "EMPTY=", "A=b=c"},
			ContainerLabels: map[string]string{
				"com.example.team": "blue", "maintainer": "Jos\u00e9 <jose@example.com>",
				"empty": "", "tier": "front",
			},
			LogPath:    "/var/lib/docker/x.log",
			DaemonName: "docker",
		}
	case "docker-bare":
		return &logger.Info{ContainerID: "short", ContainerName: "plain"}
	case "logspout":
		return &cloudwatch.RenderContext{
			Host:       "web-1.internal",
			Env:        map[string]string{"STAGE": "prod", "EMPTY": "", "LOGSPOUT_GROUP": "x"},
			Labels:     map[string]string{"com.example.team": "blue", "tier": "front"},
			Name:       "web-1",
			ID:         "a7317399f3f857173c6179d44823594f8294678dea9999662e5c625b5a1c7657",
			LoggerHost: "ip-10-0-0-7",
			InstanceID: "i-0123456789abcdef0",
			Region:     "us-east-1",
		}
	case "nil":
		return nil
	case "text":
		return "text"
	case "map":
		return data().Any
	}
	return data()
}

var created = time.Date(2024, time.March, 1, 12, 34, 56, 789000000, time.UTC)

type Data struct {
	Name, Empty          string
	Count, Zero, Minus   int
	Large                int64
	Ratio                float64
	Yes, No              bool
	List, None, Blank    []string
	Map, NilMap          map[string]string
	Any                  map[string]any
	Anys                 []any
	Numbers              []int
	Floats               []float64
	Lists                [][]string
	Maps                 []map[string]string
	Inner                Inner
	Pointer              *Inner
	Held, Nothing        any
	Unicode, Stray, Html string
	Time                 time.Time
}

type Inner struct {
	Value string
	Depth int
}

func (inner Inner) Show() string { return inner.Value + "!" }

func (data *Data) Greet(name string) string         { return "hello " + name }
func (data *Data) Add(a, b int) int                 { return a + b }
func (data *Data) Wide(n int64) int64               { return n * 2 }
func (data *Data) Small(n uint8) uint8              { return n }
func (data *Data) Half(x float64) float64           { return x / 2 }
func (data *Data) Flip(b bool) bool                 { return !b }
func (data *Data) Glue(list []string) string        { return strings.Join(list, "+") }
func (data *Data) Keys(from map[string]string) int  { return len(from) }
func (data *Data) Type(of any) string               { return fmt.Sprintf("%T", of) }
func (data *Data) Look(inner Inner) string          { return inner.Value }
func (data *Data) Apply(f func(string) string) bool { return f == nil }
func (data *Data) Fail() (string, error)            { return "", errors.New("it broke: 100%") }
func (data *Data) Sum(first int, more ...int) (sum int) {
	for _, n := range append(more, first) {
		sum += n
	}
	return sum
}
func (data *Data) Itself() *Data { return data }

func data() *Data {
	return &Data{
		Name: "web", Count: 3, Minus: -7, Large: 1 << 40, Ratio: 2.5, Yes: true,
		List:  []string{"one", "two", "three"},
		Blank: []string{},
		Map:   map[string]string{"b": "2", "a": "1", "empty": "", "x y": "3"},
		Any: map[string]any{
			"text": "words", "number": 42, "float": 1.5, "true": true, "nil": nil,
			"list": []any{1, "two", nil, 3.5}, "map": map[string]any{"k": "v", "n": 1},
			"strings": []string{"p", "q"},
		},
		Anys:    []any{"s", 7, false, nil, []string{"u"}},
		Numbers: []int{3, 1, 2},
		Floats:  []float64{0.5, 100, 1e21, 1e-7},
		Lists:   [][]string{{"a", "b"}, {}, {"c"}},
		Maps:    []map[string]string{{"n": "first"}, {"n": "second"}},
		Inner:   Inner{"in", 1},
		Pointer: &Inner{"at", 2},
		Held:    "held",
		Unicode: "h\u00e9llo \u65e5\u672c \U0001F600",
		Stray:   "a\xffb\xc3",
		Html:    `<a href="x">'&'</a>`,
		Time:    created,
	}
}
