package cognito_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"gemba/shared/cognito"
	"gemba/shared/fault"
)

func TestFind(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer answer
		want   string
		kind   fault.Kind
	}{
		{"a password of one's own", answer{200, `{"Username":"ada","Enabled":true,"UserStatus":"CONFIRMED","UserAttributes":[{"Name":"sub","Value":"s"},{"Name":"email","Value":"a@b.example"}]}`}, "{s a@b.example true true} true", 0},
		{"invited, and without an address", answer{200, `{"Username":"ada","Enabled":true,"UserStatus":"FORCE_CHANGE_PASSWORD","UserAttributes":[{"Name":"sub","Value":"s"}]}`}, "{s  false true} true", 0},
		{"disabled", answer{200, `{"Username":"ada","Enabled":false,"UserStatus":"CONFIRMED","UserAttributes":[{"Name":"sub","Value":"s"}]}`}, "{s  true false} true", 0},
		{"nobody", refusal("UserNotFoundException"), "{  false false} false", 0},
		{"without a sub", answer{200, `{"Username":"ada","Enabled":true}`}, "", fault.Unavailable},
		{"a pool that throttles", refusal("TooManyRequestsException"), "", fault.Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, address := serve(t, map[string][]answer{"AdminGetUser": {c.answer}})
			account, found, err := cognito.NewAccounts(config(), address, "pool").Find(context.Background(), "ada")
			if (err != nil) != (c.kind != 0) || err != nil && !fault.Is(err, c.kind) {
				t.Fatal(err)
			}
			if got := fmt.Sprint(account, found); err == nil && got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestWhatIsDoneToAccounts(t *testing.T) {
	attributes := func(pairs ...string) []any {
		var list []any
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, map[string]any{"Name": pairs[i], "Value": pairs[i+1]})
		}
		return list
	}
	for _, c := range []struct {
		name, operation string
		do              func(context.Context, *cognito.Accounts) error
		sends           map[string]any
	}{
		{"enable", "AdminEnableUser", func(ctx context.Context, a *cognito.Accounts) error { return a.Enable(ctx, "ada") }, nil},
		{"disable", "AdminDisableUser", func(ctx context.Context, a *cognito.Accounts) error { return a.Disable(ctx, "ada") }, nil},
		{"invite again", "AdminCreateUser", func(ctx context.Context, a *cognito.Accounts) error { return a.InviteAgain(ctx, "ada") },
			map[string]any{"MessageAction": "RESEND", "DesiredDeliveryMediums": []any{"EMAIL"}}},
		{"an address", "AdminUpdateUserAttributes", func(ctx context.Context, a *cognito.Accounts) error { return a.SetEmail(ctx, "ada", "a@b.example") },
			map[string]any{"UserAttributes": attributes("email", "a@b.example", "email_verified", "true")}},
		{"no address", "AdminUpdateUserAttributes", func(ctx context.Context, a *cognito.Accounts) error { return a.SetEmail(ctx, "ada", "") },
			map[string]any{"UserAttributes": attributes("email", "")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, address := serve(t, map[string][]answer{c.operation: {{200, `{}`}, refusal("InvalidParameterException"), refusal("UserNotFoundException")}})
			accounts := cognito.NewAccounts(config(), address, "pool")
			if err := c.do(context.Background(), accounts); err != nil {
				t.Fatal(err)
			}
			want := map[string]any{"UserPoolId": "pool", "Username": "ada"}
			for name, value := range c.sends {
				want[name] = value
			}
			if got := p.bodies[c.operation]; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("sent %v, want %v", got, want)
			}
			if err := c.do(context.Background(), accounts); !fault.Is(err, fault.Unprocessable) {
				t.Errorf("what the pool does not take: %v", err)
			}
			if err := c.do(context.Background(), accounts); !fault.Is(err, fault.Unavailable) {
				t.Errorf("an account that is gone: %v", err)
			}
		})
	}
}

func TestInviteTellsWhatIsThere(t *testing.T) {
	p, address := serve(t, map[string][]answer{
		"AdminCreateUser": {{200, made}, refusal("UsernameExistsException")}, "AdminGetUser": {found("CONFIRMED")},
	})
	accounts := cognito.NewAccounts(config(), address, "pool")
	for _, first := range []bool{true, false} {
		sub, made, err := accounts.Invite(context.Background(), "ada", "a@b.example")
		if err != nil || sub != "sub-ada" || made != first {
			t.Errorf("%s, made %v, %v; want made %v", sub, made, err, first)
		}
	}
	if want := []string{"AdminCreateUser", "AdminCreateUser", "AdminGetUser"}; !slices.Equal(p.asked, want) {
		t.Errorf("asked %v, want %v", p.asked, want)
	}
	if p.bodies["AdminCreateUser"]["MessageAction"] != nil {
		t.Error("an invitation that nobody gets")
	}
}
