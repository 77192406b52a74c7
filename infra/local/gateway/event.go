package gateway

import (
	"encoding/base64"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"gemba/infra/local/template"
)

// event is the request in API Gateway's payload format 2.0. As there, the path
// is decoded (and ends at a decoded question mark), repeated headers and query
// parameters are joined with commas, and a body is text for a handful of
// content types and base64 for all others, no content type included. The domain
// name carries the port, without which it is not what was asked here.
func event(r *http.Request, route *route, parameters map[string]string, body []byte, id string, now time.Time) events.APIGatewayV2HTTPRequest {
	text, encoded := bodyOf(r, body)
	out := events.APIGatewayV2HTTPRequest{
		Version:               "2.0",
		RouteKey:              route.Key(),
		RawPath:               pathOf(r),
		RawQueryString:        r.URL.RawQuery,
		Headers:               headersOf(r),
		QueryStringParameters: queryOf(r),
		PathParameters:        parameters,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: route.Key(), AccountID: template.Account, Stage: "$default", RequestID: id,
			APIID: "local", DomainName: r.Host, DomainPrefix: strings.Split(r.Host, ".")[0],
			Time: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: pathOf(r), Protocol: r.Proto, SourceIP: host(r.RemoteAddr), UserAgent: r.UserAgent(),
			},
		},
		Body:            text,
		IsBase64Encoded: encoded,
	}
	for _, cookie := range r.Cookies() {
		out.Cookies = append(out.Cookies, cookie.String())
	}
	return out
}

func pathOf(r *http.Request) string {
	path, _, _ := strings.Cut(r.URL.Path, "?")
	return path
}

// headersOf drops Cookie, which has a member of its own, and says itself what
// a client may not say about the connection.
func headersOf(r *http.Request) map[string]string {
	out := map[string]string{}
	for name, values := range r.Header {
		out[strings.ToLower(name)] = strings.Join(values, ",")
	}
	delete(out, "cookie")
	out["host"] = r.Host
	out["x-forwarded-proto"] = "http"
	out["x-forwarded-port"] = portOf(r.Host)
	forwarded := host(r.RemoteAddr)
	if before := out["x-forwarded-for"]; before != "" {
		forwarded = before + ", " + forwarded
	}
	out["x-forwarded-for"] = forwarded
	return out
}

func queryOf(r *http.Request) map[string]string {
	values, _ := url.ParseQuery(r.URL.RawQuery) // what cannot be parsed is still in rawQueryString
	if len(values) == 0 {
		return nil
	}
	out := map[string]string{}
	for name, all := range values {
		out[name] = strings.Join(all, ",")
	}
	return out
}

func bodyOf(r *http.Request, body []byte) (text string, encoded bool) {
	if len(body) == 0 {
		return "", false
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	textual := err == nil && (strings.HasPrefix(kind, "text/") || kind == "application/json" ||
		kind == "application/xml" || kind == "application/javascript")
	if textual && utf8.Valid(body) {
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}

func host(address string) string {
	if name, _, err := net.SplitHostPort(address); err == nil {
		return name
	}
	return address
}

func portOf(address string) string {
	if _, port, err := net.SplitHostPort(address); err == nil {
		return port
	}
	return "80"
}
