// Sends the lines of standard input as one window each, with Elastic's own client, and prints what
// was acknowledged: golumber ADDRESS WINDOW COMPRESSION.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	lumber "github.com/elastic/go-lumber/client/v2"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	window, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fail(err)
	}
	level, err := strconv.Atoi(os.Args[3])
	if err != nil {
		fail(err)
	}
	client, err := lumber.SyncDial(os.Args[1],
		lumber.CompressionLevel(level), lumber.Timeout(30*time.Second))
	if err != nil {
		fail(err)
	}
	acknowledged := 0
	var events []interface{}
	send := func() {
		count, err := client.Send(events)
		if err != nil {
			fail(err)
		}
		acknowledged += count
		events = nil
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		events = append(events, json.RawMessage(append([]byte(nil), lines.Bytes()...)))
		if len(events) == window {
			send()
		}
	}
	if len(events) > 0 {
		send()
	}
	fmt.Println(acknowledged)
}
