package dynamo

import (
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/timeline"
)

// This file reads items as a stream's records have them.

// imaged is one attribute in a stream's JSON, which has one member by its type.
type imaged struct {
	S, N *string
	B    []byte
	BOOL *bool
	NULL *bool
	M    map[string]imaged
	L    []imaged
	SS   []string
	NS   []string
	BS   [][]byte
}

func (v imaged) attribute() types.AttributeValue {
	switch {
	case v.S != nil:
		return &types.AttributeValueMemberS{Value: *v.S}
	case v.N != nil:
		return &types.AttributeValueMemberN{Value: *v.N}
	case v.BOOL != nil:
		return &types.AttributeValueMemberBOOL{Value: *v.BOOL}
	case v.NULL != nil:
		return &types.AttributeValueMemberNULL{Value: *v.NULL}
	case v.M != nil:
		return &types.AttributeValueMemberM{Value: attributesOf(v.M)}
	case v.L != nil:
		list := make([]types.AttributeValue, len(v.L))
		for i, one := range v.L {
			list[i] = one.attribute()
		}
		return &types.AttributeValueMemberL{Value: list}
	case v.SS != nil:
		return &types.AttributeValueMemberSS{Value: v.SS}
	case v.NS != nil:
		return &types.AttributeValueMemberNS{Value: v.NS}
	case v.BS != nil:
		return &types.AttributeValueMemberBS{Value: v.BS}
	}
	return &types.AttributeValueMemberB{Value: v.B}
}

func attributesOf(image map[string]imaged) attributes {
	out := attributes{}
	for name, v := range image {
		out[name] = v.attribute()
	}
	return out
}

// imageOf is an item as a stream's image has it; an error when it is none.
func imageOf(image []byte) (attributes, error) {
	var read map[string]imaged
	err := json.Unmarshal(image, &read)
	return attributesOf(read), err
}

// EntryIn is the entry of the timeline that a stream's image is, and whose; false
// for any other item, a person's copy of an entry included.
func EntryIn(image []byte) (organization string, e timeline.Entry, ok bool) {
	item, err := imageOf(image)
	organization, ok = keyOf(item).entered()
	var stored entryItem
	if err != nil || !ok || decode(item, &stored) != nil {
		return "", timeline.Entry{}, false
	}
	return organization, stored.entry(), true
}
