package api

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"gemba/shared/directory"
)

// A token of a search is sealed: the place where a page stopped can be the id of
// something that its asker may not know (T4), so that only the service can read
// it, and nobody can make one. The key is the organization's. The nonce is made
// of what is sealed, so that the same place has the same token and no nonce ever
// stands for two.

// sealedPlace is what is in a token.
type sealedPlace struct {
	After string `json:"a"`
	Limit int    `json:"n"`
}

// Token is a place in the answer to a query that a body asks, with the size of
// its pages. Unlike Next's cursors the place may be the beginning.
func (r *Request) Token(o directory.Organization, p directory.Page, query string) string {
	place, _ := json.Marshal(sealedPlace{p.After, p.Limit}) // text and a number always marshal
	list := []byte(r.list(query))
	aead, key := sealOf(o)
	mac := hmac.New(sha256.New, key)
	mac.Write(list)
	mac.Write(place)
	nonce := mac.Sum(nil)[:aead.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(aead.Seal(nonce, nonce, place, list))
}

// Opened is the page that a token leads to; false when the token was not given
// to this caller for this query.
func (r *Request) Opened(o directory.Organization, token, query string) (directory.Page, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	aead, _ := sealOf(o)
	if err != nil || len(raw) < aead.NonceSize() {
		return directory.Page{}, false
	}
	nonce, sealed := raw[:aead.NonceSize()], raw[aead.NonceSize():]
	place, err := aead.Open(nil, nonce, sealed, []byte(r.list(query)))
	var at sealedPlace
	if err != nil || json.Unmarshal(place, &at) != nil {
		return directory.Page{}, false
	}
	return directory.Page{Limit: at.Limit, After: at.After}, true
}

// sealOf is the organization's seal and the key it is made with.
func sealOf(o directory.Organization) (cipher.AEAD, []byte) {
	key := hmac.New(sha256.New, o.Seal)
	key.Write([]byte("token of " + o.ID))
	secret := key.Sum(nil)
	block, _ := aes.NewCipher(secret) // 32 bytes are a key
	aead, _ := cipher.NewGCM(block)   // of AES's block
	return aead, secret
}
