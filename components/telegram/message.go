package telegram

import (
	"encoding/json"
)

// A Message is a body that says more than a text: one of the structs of this package. The
// fields are those of the methods of https://core.telegram.org/bots/api; zero ones are left
// out. A keyboard, and whatever else is an any, is what becomes by JSON what Telegram wants.
type Message interface{ method() string }

// To is what messages have in common that are sent to a chat.
type To struct {
	// ChatID is a number or "@name"; nil means the header CamelTelegramChatId or, where
	// there is none either, the endpoint's chatId.
	ChatID any `json:"chat_id,omitempty"`

	ThreadID  int64     `json:"message_thread_id,omitempty"` // the topic of a forum
	ParseMode ParseMode `json:"parse_mode,omitempty"`        // "" means that of the header or the endpoint
	Silent    bool      `json:"disable_notification,omitempty"`
	Protect   bool      `json:"protect_content,omitempty"`
	Reply     *Reply    `json:"reply_parameters,omitempty"`
	Markup    any       `json:"reply_markup,omitempty"` // a keyboard; nil means that of the header

	// More are parameters that this package does not know, by name.
	More map[string]any `json:"-"`
}

// Reply names the message that another one answers.
type Reply struct {
	MessageID int64  `json:"message_id"`
	ChatID    any    `json:"chat_id,omitempty"`
	Quote     string `json:"quote,omitempty"`
}

// Text is a text.
type Text struct {
	To
	Text        string `json:"text"`
	Entities    any    `json:"entities,omitempty"`
	LinkPreview any    `json:"link_preview_options,omitempty"`
}

// Photo is a photo.
type Photo struct {
	To
	Photo   File   `json:"photo"`
	Caption string `json:"caption,omitempty"`
	Spoiler bool   `json:"has_spoiler,omitempty"`
}

// Document is a file of any kind.
type Document struct {
	To
	Document File   `json:"document"`
	Caption  string `json:"caption,omitempty"`
}

// Audio is a piece of music.
type Audio struct {
	To
	Audio     File   `json:"audio"`
	Caption   string `json:"caption,omitempty"`
	Duration  int    `json:"duration,omitempty"` // in seconds
	Performer string `json:"performer,omitempty"`
	Title     string `json:"title,omitempty"`
}

// Video is a video.
type Video struct {
	To
	Video     File   `json:"video"`
	Caption   string `json:"caption,omitempty"`
	Duration  int    `json:"duration,omitempty"` // in seconds
	Width     int    `json:"width,omitempty"`
	Height    int    `json:"height,omitempty"`
	Streaming bool   `json:"supports_streaming,omitempty"`
}

// Animation is a GIF or a video without sound.
type Animation struct {
	To
	Animation File   `json:"animation"`
	Caption   string `json:"caption,omitempty"`
}

// Voice is a voice message.
type Voice struct {
	To
	Voice    File   `json:"voice"`
	Caption  string `json:"caption,omitempty"`
	Duration int    `json:"duration,omitempty"` // in seconds
}

// Sticker is a sticker.
type Sticker struct {
	To
	Sticker File   `json:"sticker"`
	Emoji   string `json:"emoji,omitempty"`
}

// Location is a place on earth.
type Location struct {
	To
	Latitude   float64 `json:"latitude"`
	Longitude  float64 `json:"longitude"`
	LivePeriod int     `json:"live_period,omitempty"` // in seconds
}

// Venue is a place with a name.
type Venue struct {
	To
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Title     string  `json:"title"`
	Address   string  `json:"address"`
}

// Contact is somebody's number.
type Contact struct {
	To
	PhoneNumber string `json:"phone_number"`
	FirstName   string `json:"first_name"`
	LastName    string `json:"last_name,omitempty"`
	VCard       string `json:"vcard,omitempty"`
}

// Poll asks a question.
type Poll struct {
	To
	Question  string   `json:"question"`
	Options   []Choice `json:"options"`
	Anonymous *bool    `json:"is_anonymous,omitempty"` // nil means true
	Type      string   `json:"type,omitempty"`         // "quiz", or "" for "regular"
	Several   bool     `json:"allows_multiple_answers,omitempty"`
	Correct   *int     `json:"correct_option_id,omitempty"` // of a quiz, from 0
	Period    int      `json:"open_period,omitempty"`       // in seconds
}

// Choice is an answer to a poll.
type Choice struct {
	Text string `json:"text"`
}

// MediaGroup is an album of 2 to 10 media.
type MediaGroup struct {
	To
	Media []Media `json:"media"`
}

// Media is one of an album, or what a message is edited to have.
type Media struct {
	Type      string    `json:"type"` // "photo", "video", "audio", "document" or "animation"
	Media     File      `json:"media"`
	Caption   string    `json:"caption,omitempty"`
	ParseMode ParseMode `json:"parse_mode,omitempty"`
}

// Forward forwards a message.
type Forward struct {
	To
	FromChatID any   `json:"from_chat_id"`
	MessageID  int64 `json:"message_id"`
}

// Copy sends a message again, without a hint where it is from.
type Copy Forward

// Edit names a message that has been sent: by MessageID, in the chat, or, if it was sent by
// way of an inline query, by InlineMessageID.
type Edit struct {
	To
	MessageID       int64  `json:"message_id,omitempty"`
	InlineMessageID string `json:"inline_message_id,omitempty"`
}

// EditText changes the text of a message.
type EditText struct {
	Edit
	Text string `json:"text"`
}

// EditCaption changes the caption of a message.
type EditCaption struct {
	Edit
	Caption string `json:"caption,omitempty"`
}

// EditMedia changes what a message shows.
type EditMedia struct {
	Edit
	Media Media `json:"media"`
}

// EditMarkup changes the keyboard of a message; nil takes it away.
type EditMarkup struct{ Edit }

// Delete deletes a message.
type Delete struct {
	To
	MessageID int64 `json:"message_id"`
}

// AnswerCallback answers that a button was pressed.
type AnswerCallback struct {
	ID        string `json:"callback_query_id"`
	Text      string `json:"text,omitempty"`
	Alert     bool   `json:"show_alert,omitempty"`
	URL       string `json:"url,omitempty"`
	CacheTime int    `json:"cache_time,omitempty"` // in seconds
}

// AnswerInline answers an inline query. Results are objects that are as JSON what Telegram
// calls InlineQueryResult, such as the library's.
type AnswerInline struct {
	ID         string `json:"inline_query_id"`
	Results    []any  `json:"results"`
	CacheTime  int    `json:"cache_time,omitempty"` // in seconds
	Personal   bool   `json:"is_personal,omitempty"`
	NextOffset string `json:"next_offset,omitempty"`
}

// ChatAction shows for a few seconds what the bot does, such as "typing".
type ChatAction struct {
	To
	Action string `json:"action"`
}

// Download gets a file: its content becomes the body, a []byte.
type Download struct {
	FileID string `json:"file_id"`
}

// Call calls any method, with parameters that are texts or become JSON. Files among them
// are uploaded. Without a chat_id, where the endpoint or the header has one, that is added.
type Call struct {
	Method string
	Params map[string]any
}

func (Text) method() string           { return "sendMessage" }
func (Photo) method() string          { return "sendPhoto" }
func (Document) method() string       { return "sendDocument" }
func (Audio) method() string          { return "sendAudio" }
func (Video) method() string          { return "sendVideo" }
func (Animation) method() string      { return "sendAnimation" }
func (Voice) method() string          { return "sendVoice" }
func (Sticker) method() string        { return "sendSticker" }
func (Location) method() string       { return "sendLocation" }
func (Venue) method() string          { return "sendVenue" }
func (Contact) method() string        { return "sendContact" }
func (Poll) method() string           { return "sendPoll" }
func (MediaGroup) method() string     { return "sendMediaGroup" }
func (Forward) method() string        { return "forwardMessage" }
func (Copy) method() string           { return "copyMessage" }
func (EditText) method() string       { return "editMessageText" }
func (EditCaption) method() string    { return "editMessageCaption" }
func (EditMedia) method() string      { return "editMessageMedia" }
func (EditMarkup) method() string     { return "editMessageReplyMarkup" }
func (Delete) method() string         { return "deleteMessage" }
func (AnswerCallback) method() string { return "answerCallbackQuery" }
func (AnswerInline) method() string   { return "answerInlineQuery" }
func (ChatAction) method() string     { return "sendChatAction" }
func (Download) method() string       { return "getFile" }
func (c Call) method() string         { return c.Method }

// more returns the parameters that the package does not know.
func (t To) more() map[string]any { return t.More }

// sent is what Telegram tells of a message that was sent.
func sent(result json.RawMessage) (id int64) {
	var all []object
	if json.Unmarshal(result, &all) == nil && len(all) > 0 {
		return all[len(all)-1].number("message_id")
	}
	var one object
	if json.Unmarshal(result, &one) == nil {
		return one.number("message_id")
	}
	return 0
}
