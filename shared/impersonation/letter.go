package impersonation

import (
	"html"
	"strings"
)

// Letter is a mail to one address; Text and HTML say the same.
type Letter struct{ To, Subject, Text, HTML string }

// The words of I8; {product} and {impersonator} are the two that change.
const (
	noticeSubject = "{product}: A {product} Administrator has signed in as you"
	noticeHeader  = "Account Notification"
	noticeBody    = "We wanted to notify you that a {product} Administrator, {impersonator}, has temporarily signed in to your account in order to troubleshoot issues, configure settings on your behalf, etc. Don't worry, you will still have full access to your account during this time. Your Administrator will simply sign out of your account when everything is complete."
	noticeContact = "Please contact your {product} Administrator, {impersonator}, with any questions."
)

// NoticeLetter is the notice's letter (I8). Names are text in it, whatever they hold
// (T5).
func (m Mail) NoticeLetter() Letter {
	plain := strings.NewReplacer("{product}", m.Product, "{impersonator}", m.Actor).Replace
	marked := strings.NewReplacer("{product}", html.EscapeString(m.Product), "{impersonator}", html.EscapeString(m.Actor)).Replace
	return Letter{
		To:      m.To,
		Subject: plain(noticeSubject),
		Text:    plain(noticeHeader + "\n\n" + noticeBody + "\n\n" + noticeContact + "\n"),
		HTML: marked("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>" + noticeHeader + "</title></head>\n<body>\n<h1>" +
			noticeHeader + "</h1>\n<p>" + noticeBody + "</p>\n<p>" + noticeContact + "</p>\n</body>\n</html>\n"),
	}
}
