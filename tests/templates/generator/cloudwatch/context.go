// Package cloudwatch has the context of logspout-cloudwatch's names, under the type name that its
// errors show.
package cloudwatch

import "fmt"

type RenderContext struct {
	Host       string
	Env        map[string]string
	Labels     map[string]string
	Name       string
	ID         string
	LoggerHost string
	InstanceID string
	Region     string
}

func (context *RenderContext) Lbl(key string) (string, error) {
	if value, known := context.Labels[key]; known {
		return value, nil
	}
	return "", fmt.Errorf("ERROR reading container label %s", key)
}
