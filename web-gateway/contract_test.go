package main

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"presence/web-gateway/gen/presencev1"
)

// The contract, as its descriptors tell it: tests that run over "every route" or "every reason" cannot forget one.

func presenceService() protoreflect.ServiceDescriptor {
	return presencev1.File_presence_v1_presence_proto.Services().ByName("PresenceService")
}

// emptyAnswer makes the response message of a method, named as on the wire: "/presence.v1.PresenceService/Watch".
func emptyAnswer(fullMethod string) proto.Message {
	name := protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(fullMethod, "/"), "/", "."))
	method, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		panic(err) // Every method of the contract is linked in.
	}
	output := method.(protoreflect.MethodDescriptor).Output().FullName()
	messageType, err := protoregistry.GlobalTypes.FindMessageByName(output)
	if err != nil {
		panic(err)
	}
	return messageType.New().Interface()
}
