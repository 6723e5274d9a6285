package telegramtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kinds are the kinds of updates of Bot API 10.3, with how long each is kept: the server
// forgets what nobody has taken by then. See https://core.telegram.org/bots/api#update
// and, for the times, add_update in Client.cpp of the published server.
func Kinds() map[string]time.Duration {
	const day = 24 * time.Hour
	return map[string]time.Duration{
		"message": day, "edited_message": day, "channel_post": day, "edited_channel_post": day,
		"business_connection": day, "business_message": day, "edited_business_message": day, "deleted_business_messages": day,
		"guest_message": day, "message_reaction": day, "message_reaction_count": day,
		"inline_query": 30 * time.Second, "chosen_inline_result": 10 * time.Minute,
		"callback_query": 150 * time.Second, "shipping_query": 150 * time.Second, "pre_checkout_query": 150 * time.Second,
		"purchased_paid_media": day, "poll": day, "poll_answer": day,
		"my_chat_member": day, "chat_member": day, "chat_join_request": day,
		"chat_boost": day, "removed_chat_boost": day,
		"managed_bot": day, "subscription": day, "stopped_message_generation": day,
	}
}

// defaultKinds are those that come unless others are asked for.
func defaultKinds() map[string]bool {
	all := map[string]bool{}
	for kind := range Kinds() {
		all[kind] = kind != "chat_member" && kind != "message_reaction" && kind != "message_reaction_count"
	}
	return all
}

// A queue holds what has not been confirmed.
type queue struct {
	updates []update
	next    int64 // id
}

type update struct {
	id      int64
	chat    int64 // for the order of a webhook's deliveries
	text    json.RawMessage
	expires time.Time
}

func (q *queue) expire(now time.Time) {
	q.updates = slices.DeleteFunc(q.updates, func(u update) bool { return now.After(u.expires) })
}

// read confirms what is before offset and returns what follows, as get_updates does with
// its TQueue.
func (q *queue) read(offset int64, limit int) []json.RawMessage {
	q.expire(time.Now())
	switch {
	case offset < 0: // the last ones; those before them are forgotten
		q.updates = q.updates[max(0, len(q.updates)+int(max(offset, -1<<31))):]
	case offset > q.next+10, offset < q.next-2_000_000:
		// beyond what can be: from the head, and nothing is confirmed
	default:
		q.updates = slices.DeleteFunc(q.updates, func(u update) bool { return u.id < offset })
	}
	found, size := []json.RawMessage{}, 0
	for _, u := range q.updates {
		if len(found) == limit || size > 4<<20 {
			break
		}
		found, size = append(found, u.text), size+len(u.text)
	}
	return found
}

// Update adds an update of a kind, such as "message", with what its object holds, and
// returns its id. It returns 0 where the bot has not asked for that kind.
func (s *Server) Update(kind string, content any) int64 {
	text, err := json.Marshal(content)
	if err != nil {
		panic(fmt.Sprintf("telegramtest: %v", err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.allowed[kind]; ok && !known {
		return 0
	}
	return s.add(kind, text)
}

// Text adds the update of a message that a user with the chat's id has written.
func (s *Server) Text(chat int64, text string) int64 {
	s.mu.Lock()
	id := s.chat(chat).message()
	s.mu.Unlock()
	message := map[string]any{
		"message_id": id, "date": time.Now().Unix(), "chat": describe(chat),
		"from": map[string]any{"id": max(chat, -chat), "is_bot": false, "first_name": "Ada"}, "text": text,
	}
	if strings.HasPrefix(text, "/") {
		command, _, _ := strings.Cut(text, " ")
		message["entities"] = []any{map[string]any{"type": "bot_command", "offset": 0, "length": len(command)}}
	}
	return s.Update("message", message)
}

// Raw adds an update that is text, some JSON, in which every %d stands for the id. What no
// server sends can be sent with it, and what a later one will.
func (s *Server) Raw(text string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.queue.next
	s.queue.next++
	s.put(update{id: id, text: json.RawMessage(strings.ReplaceAll(text, "%d", strconv.FormatInt(id, 10))), expires: time.Now().Add(24 * time.Hour)})
	return id
}

// Next makes id that of the next update. Ids begin anew, and may be lower, after a week
// without updates; the queue is empty then, and otherwise Next panics.
func (s *Server) Next(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue.updates) > 0 {
		panic("telegramtest: there are updates in the queue: ids do not begin anew before they are confirmed")
	}
	s.queue.next = id
}

func (s *Server) add(kind string, content json.RawMessage) int64 {
	kept, ok := Kinds()[kind]
	if !ok {
		kept = 24 * time.Hour
	}
	id := s.queue.next
	s.queue.next++
	text, err := json.Marshal(map[string]any{"update_id": id, kind: content})
	if err != nil {
		panic(fmt.Sprintf("telegramtest: %v", err))
	}
	var at struct{ Chat struct{ ID int64 } }
	_ = json.Unmarshal(content, &at) // what has no chat is in none
	s.put(update{id, at.Chat.ID, text, time.Now().Add(kept)})
	return id
}

func (s *Server) put(u update) {
	s.queue.updates = append(s.queue.updates, u)
	s.polling.wake()
	s.hook.kick()
}
