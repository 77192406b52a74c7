package whole

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
)

// TestAUsersLife makes a user, lets them sign in, moves them, and lets them in no
// more: by the sign-in, by the type, and back.
func TestAUsersLife(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada := o.as(t, "ada")
	body := object{"name": "Nora New", "email": o.email("nora"), "username": o.username("nora"), "type": "general", "locations": []string{"east-1"}}

	made := ada.put(t, "/v1/users/nora", body, "If-None-Match", "*").is(t, http.StatusCreated)
	made.has(t, object{"id": "nora", "signIn": "none", "roles": []object{}, "persona": nil, "version": 1})
	o.tells(t, made, object{"type": "user", "action": "create", "target": object{"type": "user", "id": "nora"}})
	o.as(t, "lena").put(t, "/v1/users/nora", body).problem(t, 428, "precondition_required")
	o.as(t, "lena").put(t, "/v1/users/wes", object{"name": "W", "username": o.username("other"), "type": "general", "locations": []string{"east-1"}}).problem(t, 409, "id_taken")
	ada.put(t, "/v1/users/nils", changed(t, body, object{"email": nil})).problem(t, 409, "username_taken")

	invited := ada.put(t, "/v1/users/nora/sign-in", object{}).is(t, 200).has(t, object{"signIn": "invited"})
	o.tells(t, invited, object{"type": "sign_in", "action": "invite", "before": object{"signIn": "none"}, "after": object{"signIn": "invited"}})
	client{url: o.url}.post(t, "/_local/token", object{"username": o.username("nora"), "password": password}).is(t, 401)
	o.chooses(t, "nora")
	nora := signIn(t, o.url, o.username("nora"), password)
	nora.get(t, "/v1/me").is(t, 200).has(t, object{"actor": object{"id": "nora", "name": "Nora New"}})
	ada.put(t, "/v1/users/nora/sign-in", object{}).is(t, 200).has(t, object{"signIn": "enabled"})

	nora.put(t, "/v1/users/nora/preferences", object{"notifications": object{"item_assigned": false}}).is(t, 200)
	nora.get(t, "/v1/users/nora/preferences").is(t, 200).has(t, object{"notifications": object{"item_assigned": false}})
	nora.put(t, "/v1/users/nora/sign-in", object{}).problem(t, 403, "denied")

	read := ada.get(t, "/v1/users/nora").is(t, 200)
	read.body["email"], read.body["locations"] = o.email("nora.new"), []string{"east-1", "west-1"}
	ada.put(t, "/v1/users/nora", read.body, "If-Match", read.etag()).is(t, 200).has(t, object{"email": o.email("nora.new"), "signIn": "enabled"})
	if email := o.attribute(t, "nora", "email"); email != o.email("nora.new") {
		t.Errorf("the pool has the address %s", email)
	}
	ada.put(t, "/v1/users/nora", read.body, "If-Match", read.etag()).problem(t, 412, "stale")

	ada.delete(t, "/v1/users/nora/sign-in").is(t, 200).has(t, object{"signIn": "disabled"})
	nora.get(t, "/v1/me").problem(t, 401, "sign_in_disabled")
	client{url: o.url}.post(t, "/_local/token", object{"username": o.username("nora"), "password": password}).is(t, 401)
	ada.put(t, "/v1/users/nora/sign-in", object{}).is(t, 200).has(t, object{"signIn": "enabled"})
	nora.get(t, "/v1/me").is(t, 200)
	signIn(t, o.url, o.username("nora"), password).get(t, "/v1/me").is(t, 200)

	read = ada.get(t, "/v1/users/nora").is(t, 200)
	read.body["type"] = "inactive"
	ada.put(t, "/v1/users/nora", read.body, "If-Match", read.etag()).is(t, 200)
	nora.get(t, "/v1/me").problem(t, 401, "sign_in_disabled")
	ada.put(t, "/v1/users/nora/sign-in", object{}).problem(t, 422, "sign_in_not_allowed")
	read = ada.get(t, "/v1/users/nora").is(t, 200)
	read.body["type"] = "general"
	ada.put(t, "/v1/users/nora", read.body, "If-Match", read.etag()).is(t, 200)
	nora.get(t, "/v1/me").is(t, 200)
}

// chooses is what somebody does who was invited: they choose a password.
func (o *organization) chooses(t *testing.T, user string) {
	t.Helper()
	pool, username := running(t), o.username(user)
	_, err := cognitoidentityprovider.NewFromConfig(pool.Parts.Cognito).AdminSetUserPassword(t.Context(), &cognitoidentityprovider.AdminSetUserPasswordInput{
		UserPoolId: &pool.Parts.UserPool, Username: &username, Password: aws.String(password), Permanent: true,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// attribute is what the pool has of somebody's account.
func (o *organization) attribute(t *testing.T, user, name string) string {
	t.Helper()
	pool, username := running(t), o.username(user)
	account, err := cognitoidentityprovider.NewFromConfig(pool.Parts.Cognito).AdminGetUser(t.Context(), &cognitoidentityprovider.AdminGetUserInput{UserPoolId: &pool.Parts.UserPool, Username: &username})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range account.UserAttributes {
		if aws.ToString(a.Name) == name {
			return aws.ToString(a.Value)
		}
	}
	return ""
}
