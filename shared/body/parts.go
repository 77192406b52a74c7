package body

// Named is somebody or something with the name that others are shown. Whatever
// the domain calls such a pair converts to it.
type Named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Banner is the red banner of a session (I5).
type Banner struct {
	Text    string `json:"text"`
	SignOut string `json:"signOut"`
}
