package whole

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// sesame is in every password of TestPasswordsAreNowhere, and nowhere else.
const sesame = "Open-sesame-7341"

// TestPasswordsAreNowhere sends passwords that can be told from all else in every way
// that a start can go, and then looks for them wherever anything is kept or told
// (I2, T5): the whole table, the log of all functions, answers and mail.
func TestPasswordsAreNowhere(t *testing.T) {
	t.Parallel()
	o := found(t, func(w object) {
		for _, user := range w["users"].([]object) {
			if id := user["id"]; id == "sam" || id == "vera" {
				user["password"] = sesame + "!" + id.(string)
			}
		}
	})
	sam := signIn(t, o.url, o.username("sam"), sesame+"!sam")
	right := object{"username": o.username("sam"), "password": sesame + "!sam"}
	type start struct {
		name    string
		body    any
		status  int
		headers []string
	}
	wrong := func(password string) object { return object{"username": o.username("sam"), "password": password} }
	starts := []start{
		{"the right one", object{"subject": "mia", "reason": "a question", "credentials": right}, 201, nil},
		{"the right one, with a key", object{"subject": "mia", "credentials": right}, 201, []string{"Idempotency-Key", "sesame"}},
		{"again with the key, another password", object{"subject": "mia", "credentials": wrong(sesame + "?")}, 201, []string{"Idempotency-Key", "sesame"}},
		{"the key for another start", object{"subject": "wes", "credentials": wrong(sesame + "?")}, 422, []string{"Idempotency-Key", "sesame"}},
		{"a wrong one", object{"subject": "mia", "credentials": wrong(sesame + "?")}, 403, nil},
		{"a wrong one, with a key", object{"subject": "mia", "credentials": wrong(sesame + "?")}, 403, []string{"Idempotency-Key", "wrong"}},
		{"of somebody else", object{"subject": "mia", "credentials": object{"username": o.username("vera"), "password": sesame + "!vera"}}, 403, nil},
		{"for nobody", object{"subject": "nobody", "credentials": right}, 404, nil},
		{"for oneself", object{"subject": "sam", "credentials": right}, 422, nil},
		{"too long", object{"subject": "mia", "credentials": wrong(strings.Repeat(sesame, 100))}, 400, nil},
		{"empty beside it", object{"subject": "mia", "credentials": object{"username": "", "password": sesame}}, 400, nil},
		{"with what no text has", "{\"subject\":\"mia\",\"credentials\":{\"username\":\"sam\",\"password\":\"" + sesame + "\xff\"}}", 400, nil},
		{"no text", object{"subject": "mia", "credentials": object{"username": o.username("sam"), "password": list{sesame}}}, 400, nil},
		{"as the mode", object{"subject": "mia", "mode": sesame}, 400, nil},
		{"as the username", object{"subject": "mia", "credentials": object{"username": sesame, "password": "x"}}, 403, nil},
		{"as credentials", object{"subject": "mia", "credentials": sesame}, 400, nil},
		{"under another name", object{"subject": "mia", "credentials": object{"username": o.username("sam"), "pass": sesame}}, 400, nil},
		{"beside credentials", object{"subject": "mia", "password": sesame}, 400, nil},
		{"given twice", `{"subject":"mia","credentials":{"username":"` + o.username("sam") + `","password":"` + sesame + `1","password":"` + sesame + `2"}}`, 400, nil},
		{"credentials given twice", `{"subject":"mia","credentials":{"username":"a","password":"` + sesame + `1"},"credentials":{"username":"a","password":"` + sesame + `2"}}`, 400, nil},
		{"cut off", `{"subject":"mia","credentials":{"username":"a","password":"` + sesame, 400, nil},
		{"in a list", list{object{"password": sesame}}, 400, nil},
		{"alone", `"` + sesame + `"`, 400, nil},
		{"in no JSON", "password=" + sesame, 400, nil},
		{"in a query", nil, 400, nil},
	}
	told := []string{}
	for _, s := range starts {
		path := "/v1/impersonations"
		if s.body == nil {
			path += "?password=" + sesame
		}
		r := sam.post(t, path, s.body, s.headers...)
		if r.status != s.status {
			t.Errorf("%s: %d instead of %d: %s", s.name, r.status, s.status, r.raw)
		}
		if r.status == 201 {
			sam.delete(t, "/v1/impersonations/"+text(r.body["id"])).is(t, 200)
		}
		told = append(told, string(r.raw)+stringOf(r.header))
	}
	for tries := 0; ; tries++ {
		r := sam.post(t, "/v1/impersonations", object{"subject": "mia", "credentials": wrong(sesame + "?")})
		told = append(told, string(r.raw)+stringOf(r.header))
		if r.status == 429 {
			break
		}
		if r.problem(t, 403, "reauthentication_failed"); tries == 5 {
			t.Fatal("I2 five wrong proofs were not enough")
		}
	}
	told = append(told, string(sam.post(t, "/v1/impersonations", object{"subject": "mia", "credentials": right}).problem(t, 429, "too_many_attempts").raw))
	vera := signIn(t, o.url, o.username("vera"), sesame+"!vera")
	r := vera.post(t, "/v1/impersonations", object{"subject": "lea", "credentials": object{"username": o.username("vera"), "password": sesame + "!vera"}}).is(t, 201)
	over(t, vera.in(text(r.body["id"])))
	told = append(told, string(o.as(t, "ada").get(t, "/v1/timeline?limit=500").raw), string(o.as(t, "ada").get(t, "/v1/impersonations").raw), stringOf(mails(t, o.url, "")))
	for _, place := range told {
		if found := secret(place); found != "" {
			t.Errorf("%s is told: %s", found, place)
		}
	}
	if found := secret(shared.log.String()); found != "" {
		t.Errorf("%s is in the log", found)
	}
	everything(t, func(item string) {
		if found := secret(item); found != "" {
			t.Errorf("%s is in the table: %s", found, item)
		}
	})
}

// secret is what of a text nothing may keep: one of the passwords, in whatever clothes,
// or a token. It is empty when there is none.
func secret(text string) string {
	for _, s := range []string{sesame, strings.ToLower(sesame), "T3Blbi1zZXNhbWUt", "9wZW4tc2VzYW1l", "PcGVuLXNlc2FtZS", "eyJ", password} {
		if strings.Contains(text, s) {
			return s
		}
	}
	return ""
}

// everything is each item of the table, of all organizations, as JSON.
func everything(t *testing.T, look func(item string)) {
	t.Helper()
	seen := 0
	scanned(t, "", func(item object) {
		encoded, err := json.Marshal(readable(item))
		if err != nil {
			t.Fatal(err)
		}
		look(string(encoded))
		seen++
	})
	if seen < 500 {
		t.Errorf("the table has %d items", seen)
	}
}

// readable shows bytes as the text that they may be.
func readable(value any) any {
	switch value := value.(type) {
	case []byte:
		return string(value)
	case object:
		for name, member := range value {
			value[name] = readable(member)
		}
	case list:
		for i, member := range value {
			value[i] = readable(member)
		}
	}
	return value
}

// TestASecondFactor: who signs in with more than a password is told to sign in afresh,
// right though the password is, and may then start (I2).
func TestASecondFactor(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	fresh := o.anew(t, "sam")
	parts := running(t).Parts
	pool := cognitoidentityprovider.NewFromConfig(parts.Cognito)
	ask, err := pool.AssociateSoftwareToken(t.Context(), &cognitoidentityprovider.AssociateSoftwareTokenInput{AccessToken: &fresh.token})
	if err != nil || ask.SecretCode == nil {
		t.Fatalf("the pool knows no second factor: %v", err)
	}
	if _, err := pool.VerifySoftwareToken(t.Context(), &cognitoidentityprovider.VerifySoftwareTokenInput{AccessToken: &fresh.token, UserCode: aws.String("123456")}); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.AdminSetUserMFAPreference(t.Context(), &cognitoidentityprovider.AdminSetUserMFAPreferenceInput{
		UserPoolId: &parts.UserPool, Username: aws.String(o.username("sam")),
		SoftwareTokenMfaSettings: &types.SoftwareTokenMfaSettingsType{Enabled: true, PreferredMfa: true},
	}); err != nil {
		t.Fatal(err)
	}
	fresh.post(t, "/v1/impersonations", object{"subject": "mia", "credentials": o.own("sam")}).
		problem(t, 403, "reauthentication_failed").says(t, "sign in anew and start within 60 seconds")
	own := changed(t, claims(t, fresh.token), object{"auth_time": time.Now().Unix() - 2})
	again := client{url: o.url, token: forge(t, own)} // moto's sign-in may be longer ago than a minute on a slow machine
	r := again.post(t, "/v1/impersonations", object{"subject": "mia"}).is(t, 201)
	over(t, again.in(text(r.body["id"])))
}
