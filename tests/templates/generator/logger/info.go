// Package logger has the context of Docker's log tags, under the type name that Docker's errors
// show.
package logger

import (
	"fmt"
	"strings"
	"time"
)

type Info struct {
	Config              map[string]string
	ContainerID         string
	ContainerName       string
	ContainerEntrypoint string
	ContainerArgs       []string
	ContainerImageID    string
	ContainerImageName  string
	ContainerCreated    time.Time
	ContainerEnv        []string
	ContainerLabels     map[string]string
	LogPath             string
	DaemonName          string
}

func (info *Info) ID() string          { return short(info.ContainerID) }
func (info *Info) FullID() string      { return info.ContainerID }
func (info *Info) Name() string        { return strings.TrimPrefix(info.ContainerName, "/") }
func (info *Info) ImageID() string     { return short(info.ContainerImageID) }
func (info *Info) ImageFullID() string { return info.ContainerImageID }
func (info *Info) ImageName() string   { return info.ContainerImageName }

func (info *Info) Command() string {
	return strings.Join(append([]string{info.ContainerEntrypoint}, info.ContainerArgs...), " ")
}

func (info *Info) Hostname() (string, error) {
	if info.LogPath == "" {
		return "", fmt.Errorf("logger: can not resolve hostname: %v", "no name")
	}
	return "host-1", nil
}

func (info *Info) ExtraAttributes(key func(string) string) (map[string]string, error) {
	return map[string]string{"com.example.team": "blue", "STAGE": "prod"}, nil
}

func short(id string) string {
	if _, digest, found := strings.Cut(id, ":"); found {
		id = digest
	}
	return id[:min(len(id), 12)]
}
