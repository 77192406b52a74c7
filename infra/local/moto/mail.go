package moto

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// Mail is one mail that SES was handed. A part that it does not have, or that
// moto dropped, is nil.
type Mail struct {
	To      []string `json:"to"`
	From    string   `json:"from"`
	Subject string   `json:"subject"`
	Text    *string  `json:"text,omitempty"`
	HTML    *string  `json:"html,omitempty"`
}

// sent is moto's record of a mail.
type sent struct {
	Source       string `json:"source"`
	Subject      string `json:"subject"`
	Body         string `json:"body"`
	Destinations struct{ ToAddresses []string }
}

// Mail is the mail that SES was handed, oldest first. Mail handed over as a
// whole raw message, which nothing here does, is not among it.
func (s *Server) Mail(ctx context.Context) ([]Mail, error) {
	text, err := s.get(ctx, "/moto-api/data.json")
	if err != nil {
		return nil, err
	}
	var data struct {
		SES struct{ Message []sent } `json:"ses"`
	}
	if err := json.Unmarshal(text, &data); err != nil {
		return nil, fmt.Errorf("moto's record of mail: %w", err)
	}
	out := []Mail{}
	for _, message := range data.SES.Message {
		out = append(out, message.mail())
	}
	return out, nil
}

func (m sent) mail() Mail {
	out := Mail{To: m.Destinations.ToAddresses, From: m.Source, Subject: m.Subject}
	if strings.HasPrefix(strings.TrimSpace(m.Body), "<") { // moto does not say which part it kept
		out.HTML = &m.Body
	} else {
		out.Text = &m.Body
	}
	return out
}
