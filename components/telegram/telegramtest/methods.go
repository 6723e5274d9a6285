package telegramtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// methods are those that the server knows. What it does not act on it answers with true.
var methods = strings.Fields(`getUpdates setWebhook deleteWebhook getWebhookInfo getMe logOut close
	sendMessage sendPhoto sendAudio sendDocument sendVideo sendAnimation sendVoice sendVideoNote sendPaidMedia sendMediaGroup
	sendLocation sendVenue sendContact sendPoll sendChecklist sendDice sendSticker sendGame sendInvoice sendChatAction sendMessageDraft
	forwardMessage forwardMessages copyMessage copyMessages setMessageReaction
	editMessageText editMessageCaption editMessageMedia editMessageLiveLocation stopMessageLiveLocation editMessageChecklist
	editMessageReplyMarkup stopPoll deleteMessage deleteMessages
	answerCallbackQuery answerInlineQuery answerWebAppQuery answerShippingQuery answerPreCheckoutQuery
	getFile getChat getChatMember getChatMemberCount getChatAdministrators getUserProfilePhotos
	banChatMember unbanChatMember restrictChatMember promoteChatMember setChatPermissions approveChatJoinRequest declineChatJoinRequest
	setChatTitle setChatDescription pinChatMessage unpinChatMessage unpinAllChatMessages leaveChat
	createForumTopic editForumTopic closeForumTopic reopenForumTopic deleteForumTopic
	setMyCommands deleteMyCommands getMyCommands setMyName setMyDescription setChatMenuButton`)

// A chat is what the server knows of one.
type chat struct {
	last     int64
	messages map[int64]map[string]any
}

func (s *Server) chat(id int64) *chat {
	c := s.chats[id]
	if c == nil {
		c = &chat{messages: map[int64]map[string]any{}}
		s.chats[id] = c
	}
	return c
}

func (c *chat) message() int64 {
	c.last++
	return c.last
}

func describe(chat int64) map[string]any {
	kind := "private"
	if chat < -1_000_000_000_000 {
		kind = "supergroup"
	} else if chat < 0 {
		kind = "group"
	}
	return map[string]any{"id": chat, "type": kind}
}

// act does what a method does to chats and files.
func (s *Server) act(method string, p map[string]string, files map[string]File) (any, *failure) {
	name := canonical(method)
	switch {
	case !slices.Contains(methods, name):
		return nil, refuse(404, "Not Found: method not found")
	case name == "getMe":
		return map[string]any{"id": 123456789, "is_bot": true, "first_name": "Test", "username": "test_bot"}, nil
	case name == "getFile":
		return s.getFile(p["file_id"])
	case name == "sendMediaGroup":
		return s.sendGroup(p, files)
	case name == "sendChatAction":
		_, err := chatOf(p)
		return true, err
	case name == "copyMessage":
		m, err := s.send(name, p, files)
		if err != nil {
			return nil, err
		}
		return map[string]any{"message_id": m["message_id"]}, nil
	case strings.HasPrefix(name, "send"), name == "forwardMessage":
		m, err := s.send(name, p, files)
		if err != nil {
			return nil, err
		}
		return m, nil
	case strings.HasPrefix(name, "editMessage"), name == "stopMessageLiveLocation":
		return s.edit(name, p)
	case name == "deleteMessage":
		return s.remove(p)
	case strings.HasPrefix(name, "answer"):
		if p["callback_query_id"]+p["inline_query_id"]+p["shipping_query_id"]+p["pre_checkout_query_id"]+p["web_app_query_id"] == "" {
			return nil, refuse(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
		}
	}
	return true, nil
}

func chatOf(p map[string]string) (int64, *failure) {
	if p["chat_id"] == "" {
		return 0, refuse(400, "Bad Request: chat_id is empty")
	}
	if strings.HasPrefix(p["chat_id"], "@") {
		return -1_000_000_000_000 - int64(len(p["chat_id"])), nil
	}
	id, err := strconv.ParseInt(p["chat_id"], 10, 64)
	if err != nil || id == 0 {
		return 0, refuse(400, "Bad Request: chat not found")
	}
	return id, nil
}

// The most characters of texts and captions, https://core.telegram.org/bots/api#sendmessage
// and #sendphoto.
const (
	maxText    = 4096
	maxCaption = 1024
)

func checkTexts(name string, p map[string]string) *failure {
	switch {
	case (name == "sendMessage" || name == "editMessageText") && p["text"] == "":
		return refuse(400, "Bad Request: message text is empty")
	case utf8.RuneCountInString(p["text"]) > maxText:
		return refuse(400, "Bad Request: message is too long")
	case utf8.RuneCountInString(p["caption"]) > maxCaption:
		return refuse(400, "Bad Request: message caption is too long")
	}
	for _, parameter := range []string{"reply_markup", "media", "options", "reply_parameters", "results"} {
		if text := p[parameter]; text != "" && !json.Valid([]byte(text)) {
			return refuse(400, "Bad Request: can't parse "+parameter+" JSON object")
		}
	}
	return nil
}

// send makes a message with what it was told.
func (s *Server) send(name string, p map[string]string, files map[string]File) (map[string]any, *failure) {
	id, err := chatOf(p)
	if err == nil {
		err = checkTexts(name, p)
	}
	if err != nil {
		return nil, err
	}
	c := s.chat(id)
	m := map[string]any{
		"message_id": c.message(), "date": time.Now().Unix(), "chat": describe(id),
		"from": map[string]any{"id": 123456789, "is_bot": true, "first_name": "Test", "username": "test_bot"},
	}
	for _, field := range []string{"text", "caption"} {
		if p[field] != "" {
			m[field] = p[field]
		}
	}
	what := strings.ToLower(strings.TrimPrefix(name, "send"))
	switch what {
	case "photo", "audio", "document", "video", "animation", "voice", "sticker":
		file, err := s.store(what, p, files)
		if err != nil {
			return nil, err
		}
		if m[what] = file; what == "photo" {
			m[what] = []any{file}
		}
	case "location", "venue", "contact", "poll":
		required := map[string]string{"location": "latitude", "venue": "address", "contact": "phone_number", "poll": "question"}[what]
		if p[required] == "" {
			return nil, refuse(400, "Bad Request: "+required+" is empty")
		}
		m[what] = p
	}
	c.messages[c.last] = m
	return m, nil
}

// store keeps a file that is sent: uploaded, already there, or at an address.
func (s *Server) store(what string, p map[string]string, files map[string]File) (map[string]any, *failure) {
	name, uploaded := what, p[what] == ""
	if ref, ok := strings.CutPrefix(p[what], "attach://"); ok {
		name, uploaded = ref, true
	}
	if !uploaded {
		_, known := s.files[p[what]]
		if !known && !strings.HasPrefix(p[what], "http://") && !strings.HasPrefix(p[what], "https://") {
			return nil, refuse(400, "Bad Request: wrong file identifier/HTTP URL specified")
		}
		return map[string]any{"file_id": p[what], "file_unique_id": "u" + p[what]}, nil
	}
	f, ok := files[name]
	if !ok {
		return nil, refuse(400, "Bad Request: there is no "+what+" in the request")
	}
	if len(f.Content) == 0 {
		return nil, refuse(400, "Bad Request: file must be non-empty")
	}
	id := s.keep(f)
	return map[string]any{"file_id": id, "file_unique_id": "u" + id, "file_size": len(f.Content), "file_name": f.Name}, nil
}

func (s *Server) sendGroup(p map[string]string, files map[string]File) (any, *failure) {
	var media []map[string]any
	if json.Unmarshal([]byte(p["media"]), &media) != nil {
		return nil, refuse(400, "Bad Request: can't parse media JSON object")
	}
	if len(media) < 2 || len(media) > 10 {
		return nil, refuse(400, "Bad Request: wrong number of media: want 2 to 10")
	}
	var sent []any
	for _, item := range media {
		kind := fmt.Sprint(item["type"])
		one := map[string]string{"chat_id": p["chat_id"], kind: fmt.Sprint(item["media"])}
		if caption, ok := item["caption"].(string); ok {
			one["caption"] = caption
		}
		m, err := s.send("send"+kind, one, files)
		if err != nil {
			return nil, err
		}
		m["media_group_id"] = "1"
		sent = append(sent, m)
	}
	return sent, nil
}

func (s *Server) edit(name string, p map[string]string) (any, *failure) {
	if err := checkTexts(name, p); err != nil {
		return nil, err
	}
	if p["inline_message_id"] != "" {
		return true, nil
	}
	m, err := s.find(p, "Bad Request: message to edit not found")
	if err != nil {
		return nil, err
	}
	field := map[string]string{"editMessageText": "text", "editMessageCaption": "caption"}[name]
	if field != "" && m[field] == p[field] && p["reply_markup"] == "" {
		return nil, refuse(400, "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")
	}
	if field != "" {
		m[field] = p[field]
	}
	m["edit_date"] = time.Now().Unix()
	return m, nil
}

func (s *Server) remove(p map[string]string) (any, *failure) {
	if _, err := s.find(p, "Bad Request: message to delete not found"); err != nil {
		return nil, err
	}
	id, _ := chatOf(p)
	n, _ := strconv.ParseInt(p["message_id"], 10, 64)
	delete(s.chats[id].messages, n)
	return true, nil
}

// find returns the message that a call names.
func (s *Server) find(p map[string]string, otherwise string) (map[string]any, *failure) {
	id, err := chatOf(p)
	if err != nil {
		return nil, err
	}
	n, parse := strconv.ParseInt(p["message_id"], 10, 64)
	m := s.chat(id).messages[n]
	if parse != nil || m == nil {
		return nil, refuse(400, otherwise)
	}
	return m, nil
}
